// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
//! lock_rust HOLD_US ROUNDS
//!
//! Locks and waits of Rust's standard library, as lock_truth has those of C, and with the same output.

use std::sync::{Arc, Barrier, Condvar, Mutex, RwLock};
use std::thread;
use std::time::{Duration, Instant};

static STOCK: Mutex<u64> = Mutex::new(0);
static PRICES: RwLock<u64> = RwLock::new(0);
static BELL_LOCK: Mutex<bool> = Mutex::new(false);
static BELL: Condvar = Condvar::new();

const RUSAGE_THREAD: i32 = 1;
const RUSAGE_WORDS: usize = 18;
const RUSAGE_NVCSW: usize = 16; // struct rusage: two timevals, then ru_maxrss to ru_nivcsw

extern "C" {
    fn getrusage(who: i32, usage: *mut [i64; RUSAGE_WORDS]) -> i32;
    fn gettid() -> i32;
}

fn own_sleeps() -> i64 {
    let mut usage = [0; RUSAGE_WORDS];
    assert_eq!(unsafe { getrusage(RUSAGE_THREAD, &mut usage) }, 0);
    usage[RUSAGE_NVCSW]
}

fn own_tid() -> i32 {
    unsafe { gettid() }
}

#[inline(never)]
fn wait_stock() {
    *STOCK.lock().unwrap() += 1;
}

#[inline(never)]
fn hold_stock(then: &dyn Fn()) {
    let mut stock = STOCK.lock().unwrap();
    then();
    *stock += 1;
}

#[inline(never)]
fn wait_reader() {
    assert!(*PRICES.read().unwrap() < u64::MAX);
}

#[inline(never)]
fn hold_writing(then: &dyn Fn()) {
    let mut prices = PRICES.write().unwrap();
    then();
    *prices += 1;
}

#[inline(never)]
fn wait_writer() {
    *PRICES.write().unwrap() += 1;
}

#[inline(never)]
fn hold_reading(then: &dyn Fn()) {
    let prices = PRICES.read().unwrap();
    then();
    assert!(*prices < u64::MAX);
}

#[inline(never)]
fn wait_bell() {
    let mut rung = BELL_LOCK.lock().unwrap();
    while !*rung {
        rung = BELL.wait(rung).unwrap();
    }
    *rung = false;
}

#[inline(never)]
fn ring(then: &dyn Fn()) {
    then();
    *BELL_LOCK.lock().unwrap() = true;
    BELL.notify_one();
}

struct Case {
    name: &'static str,
    class: &'static str,
    lock_name: &'static str,
    site: &'static str,
    waiters: usize,
    lock: usize,
    size: usize,
    hold: fn(&dyn Fn()),
    wait: fn(),
}

fn cases() -> Vec<Case> {
    let stock = (&STOCK as *const _ as usize, std::mem::size_of_val(&STOCK));
    let prices = (&PRICES as *const _ as usize, std::mem::size_of_val(&PRICES));
    let bell = (&BELL as *const _ as usize, std::mem::size_of_val(&BELL));
    let case = |name, class, lock_name, site, waiters, lock: (usize, usize), hold, wait| Case {
        name,
        class,
        lock_name,
        site,
        waiters,
        lock: lock.0,
        size: lock.1,
        hold,
        wait,
    };
    vec![
        case("mutex", "mutex", "lock_rust::STOCK", "lock_rust::wait_stock", 2, stock, hold_stock, wait_stock),
        case("reader", "rwlock", "lock_rust::PRICES", "lock_rust::wait_reader", 2, prices, hold_writing, wait_reader),
        case("writer", "rwlock", "lock_rust::PRICES", "lock_rust::wait_writer", 1, prices, hold_reading, wait_writer),
        case("cond", "cond", "lock_rust::BELL", "lock_rust::wait_bell", 1, bell, ring, wait_bell),
    ]
}

struct Account {
    tid: i32,
    sleeps: i64,
    ns: Vec<u128>,
}

fn wait_rounds(wait: fn(), held: &Barrier, over: &Barrier, rounds: usize) -> Account {
    let mut account = Account { tid: own_tid(), sleeps: 0, ns: Vec::new() };
    for _ in 0..rounds {
        held.wait();
        let sleeps = own_sleeps();
        let start = Instant::now();
        wait();
        account.ns.push(start.elapsed().as_nanos());
        account.sleeps += own_sleeps() - sleeps;
        over.wait();
    }
    account
}

fn hold_rounds(hold: fn(&dyn Fn()), held: &Barrier, over: &Barrier, rounds: usize, time: Duration) -> i32 {
    for _ in 0..rounds {
        hold(&|| {
            held.wait();
            thread::sleep(time);
        });
        over.wait();
    }
    own_tid()
}

fn run(case: &Case, rounds: usize, time: Duration) {
    let held = Arc::new(Barrier::new(case.waiters + 1));
    let over = Arc::new(Barrier::new(case.waiters + 1));
    let (h, o, hold) = (held.clone(), over.clone(), case.hold);
    let holder = thread::Builder::new().name("holder".into());
    let holder = holder.spawn(move || hold_rounds(hold, &h, &o, rounds, time)).unwrap();
    let waiters: Vec<_> = (0..case.waiters)
        .map(|_| {
            let (h, o, wait) = (held.clone(), over.clone(), case.wait);
            let waiter = thread::Builder::new().name(case.name.into());
            waiter.spawn(move || wait_rounds(wait, &h, &o, rounds)).unwrap()
        })
        .collect();
    let holder = holder.join().unwrap();
    for (i, waiter) in waiters.into_iter().enumerate() {
        let account = waiter.join().unwrap();
        let list: Vec<String> = account.ns.iter().map(|ns| ns.to_string()).collect();
        println!(
            "thread {}{} tid {} count {} sum {} list {} case {} class {} lock {:#x} size {} name {} site {} holder {} \
             owned 0 waits {}",
            case.name, i, account.tid, account.ns.len(), account.ns.iter().sum::<u128>(), list.join(","), case.name,
            case.class, case.lock, case.size, case.lock_name, case.site, holder, account.sleeps
        );
    }
}

fn main() {
    let args: Vec<u64> = std::env::args().skip(1).map(|a| a.parse().expect("a number")).collect();
    let time = Duration::from_micros(*args.first().unwrap_or(&20000));
    let rounds = *args.get(1).unwrap_or(&25) as usize;
    for case in cases() {
        run(&case, rounds, time);
    }
}
