/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * lock_cxx HOLD_US ROUNDS
 *
 * Locks and waits of the C++ library, as lock_truth has those of C, and with the same output.
 */
#include <barrier>
#include <chrono>
#include <cinttypes>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <future>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))

namespace shop {

class Till {
public:
	NOINLINE void enter()
	{
		lock_.lock();
		asm volatile("" ::: "memory");
	}
	NOINLINE void leave()
	{
		lock_.unlock();
		asm volatile("" ::: "memory");
	}
	std::mutex lock_;
};

Till till;
std::recursive_mutex counter_lock;
std::timed_mutex safe_lock;
std::shared_mutex shelf_lock;
std::mutex bell_lock;
std::condition_variable bell;
bool has_rung;
std::promise<void> delivery;

template <typename T> NOINLINE void wait_counter(T &lock)
{
	lock.lock();
	asm volatile("" ::: "memory");
}

NOINLINE void wait_safe()
{
	if (!safe_lock.try_lock_for(std::chrono::hours(1)))
		std::abort();
}

NOINLINE void wait_reader()
{
	shelf_lock.lock_shared();
	asm volatile("" ::: "memory");
}

NOINLINE void wait_writer()
{
	std::unique_lock<std::shared_mutex> lock(shelf_lock);
	asm volatile("" ::: "memory");
}

NOINLINE void wait_bell()
{
	std::unique_lock<std::mutex> lock(bell_lock);
	bell.wait(lock, [] { return has_rung; });
	has_rung = false;
}

void ring()
{
	{
		std::lock_guard<std::mutex> lock(bell_lock);
		has_rung = true;
	}
	bell.notify_one();
}

NOINLINE void wait_delivery()
{
	delivery.get_future().wait();
	asm volatile("" ::: "memory");
}

}

using namespace shop;
using Clock = std::chrono::steady_clock;	/* CLOCK_MONOTONIC */

struct Case {
	const char *name, *klass, *lock_name, *site;
	int waiters;
	bool is_owned;
	const void *lock;
	size_t size;
	std::function<void()> take, give, wait, leave;
};

static const auto nothing = [] {};

static const std::vector<Case> cases = {
	{ "mutex", "mutex", "shop::till", "shop::Till::enter", 2, true, &till, sizeof(till), [] { till.enter(); },
	  [] { till.leave(); }, [] { till.enter(); }, [] { till.leave(); } },
	{ "recursive", "mutex", "shop::counter_lock", "shop::wait_counter", 2, true, &counter_lock, sizeof(counter_lock),
	  [] { counter_lock.lock(); }, [] { counter_lock.unlock(); }, [] { wait_counter(counter_lock); },
	  [] { counter_lock.unlock(); } },
	{ "timed", "mutex", "shop::safe_lock", "shop::wait_safe", 2, true, &safe_lock, sizeof(safe_lock),
	  [] { safe_lock.lock(); }, [] { safe_lock.unlock(); }, wait_safe, [] { safe_lock.unlock(); } },
	{ "reader", "rwlock", "shop::shelf_lock", "shop::wait_reader", 2, false, &shelf_lock, sizeof(shelf_lock),
	  [] { shelf_lock.lock(); }, [] { shelf_lock.unlock(); }, wait_reader, [] { shelf_lock.unlock_shared(); } },
	{ "writer", "rwlock", "shop::shelf_lock", "shop::wait_writer", 1, false, &shelf_lock, sizeof(shelf_lock),
	  [] { shelf_lock.lock_shared(); }, [] { shelf_lock.unlock_shared(); }, wait_writer, nothing },
	{ "cond", "cond", "shop::bell", "shop::wait_bell", 1, false, &bell, sizeof(bell), nothing, ring, wait_bell,
	  nothing },
	{ "future", "cond", "-", "shop::wait_delivery", 1, false, nullptr, 0, [] { delivery = std::promise<void>(); },
	  [] { delivery.set_value(); }, wait_delivery, nothing },
};

struct Account {
	int tid;
	long sleeps = 0;
	std::vector<uint64_t> ns;
};

static long own_sleeps()
{
	struct rusage use;

	getrusage(RUSAGE_THREAD, &use);
	return use.ru_nvcsw;
}

static void wait_rounds(const Case &c, std::barrier<> &held, std::barrier<> &over, long rounds, Account &account)
{
	prctl(PR_SET_NAME, c.name);
	account.tid = gettid();
	for (long i = 0; i < rounds; i++) {
		held.arrive_and_wait();
		long sleeps = own_sleeps();
		auto start = Clock::now();
		c.wait();
		auto end = Clock::now();
		account.sleeps += own_sleeps() - sleeps;
		account.ns.push_back(std::chrono::nanoseconds(end - start).count());
		c.leave();
		over.arrive_and_wait();
	}
}

/* On a busy machine who comes for the lock may come late, and find it free. */
static void await_sleep(int tid)
{
	std::string stat;

	do {
		std::this_thread::sleep_for(std::chrono::microseconds(200));
		std::getline(std::ifstream("/proc/" + std::to_string(tid) + "/stat"), stat);
	} while (stat.compare(stat.rfind(')') + 2, 1, "S"));
}

static void hold_rounds(const Case &c, std::barrier<> &held, std::barrier<> &over, long rounds, long hold_us,
			const std::vector<Account> &waiters, int &tid)
{
	prctl(PR_SET_NAME, "holder");
	tid = gettid();
	for (long i = 0; i < rounds; i++) {
		c.take();
		held.arrive_and_wait();
		std::this_thread::sleep_for(std::chrono::microseconds(hold_us));
		for (const Account &waiter : waiters)
			await_sleep(waiter.tid);
		c.give();
		over.arrive_and_wait();
	}
}

static void print(const Case &c, const Account &account, int index, int holder)
{
	uint64_t sum = 0;
	std::string list;

	for (uint64_t ns : account.ns) {
		sum += ns;
		list += (list.empty() ? "" : ",") + std::to_string(ns);
	}
	printf("thread %s%d tid %d count %zu sum %" PRIu64 " list %s case %s class %s lock 0x%" PRIxPTR
	       " size %zu name %s site %s holder %d owned %d waits %ld\n",
	       c.name, index, account.tid, account.ns.size(), sum, list.c_str(), c.name, c.klass, (uintptr_t)c.lock, c.size,
	       c.lock_name, c.site, holder, c.is_owned, account.sleeps);
}

int main(int argc, char **argv)
{
	long hold_us = argc > 1 ? atol(argv[1]) : 20000, rounds = argc > 2 ? atol(argv[2]) : 25;

	for (const Case &c : cases) {
		std::barrier held(c.waiters + 1), over(c.waiters + 1);
		std::vector<Account> accounts(c.waiters);
		std::vector<std::thread> threads;
		int holder;
		threads.emplace_back(hold_rounds, std::cref(c), std::ref(held), std::ref(over), rounds, hold_us, std::cref(accounts),
				     std::ref(holder));
		for (Account &a : accounts)
			threads.emplace_back(wait_rounds, std::cref(c), std::ref(held), std::ref(over), rounds, std::ref(a));
		for (std::thread &t : threads)
			t.join();
		for (int i = 0; i < c.waiters; i++)
			print(c, accounts[i], i, holder);
	}
	return 0;
}
