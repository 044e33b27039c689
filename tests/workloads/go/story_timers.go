// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

// story_timers STORY MS
//
// Stories of timers, each with its cause planted: mixer, tickers, heap, hog, brief, locked. After a line on
// stdin it lasts MS milliseconds, then prints what it measured itself.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"./self"
)

// A goroutine's function has no arguments: with them the compiler starts a function of its own.
var (
	end  time.Time
	done sync.WaitGroup
)

const frame = 10 * time.Millisecond

// late is what the sleepers measured: a list each.
var late struct {
	sync.Mutex
	lists [][]int64
}

// sleepEach sleeps d again and again.
func sleepEach(d time.Duration) {
	var list []int64
	for time.Now().Before(end) {
		begin := time.Now()
		time.Sleep(d)
		list = append(list, int64(time.Since(begin)-d))
	}
	late.Lock()
	late.lists = append(late.lists, list)
	late.Unlock()
	done.Done()
}

func printLate(name string) {
	done.Wait()
	all := []int64{}
	for _, list := range late.lists {
		all = append(all, list...)
	}
	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
	fmt.Println("late", name, "count", len(all), "p50", all[len(all)/2], "max", all[len(all)-1])
}

// asks are the moments at which the one mixer asked for its next frame, ticks is how many the other had.
var (
	asks  []time.Time
	ticks int
)

// mixRearmed asks for the next frame relative to now: its lateness and its work add up.
func mixRearmed() {
	self.Busy(100 * time.Microsecond)
	if time.Now().After(end) {
		done.Done()
		return
	}
	asks = append(asks, time.Now())
	time.AfterFunc(frame, mixRearmed)
}

func mixTicked() {
	t := time.NewTicker(frame)
	defer t.Stop()
	for now := range t.C {
		self.Busy(100 * time.Microsecond)
		if ticks++; now.After(end) {
			done.Done()
			return
		}
	}
}

// mixer: one re-arms AfterFunc from its own callback, the other has a Ticker.
func mixer() {
	done.Add(2)
	go mixTicked()
	asks = append(asks, time.Now())
	time.AfterFunc(frame, mixRearmed)
	done.Wait()
	drift := asks[len(asks)-1].Sub(asks[0]) - time.Duration(len(asks)-1)*frame
	fmt.Println("rearmed", len(asks), "drift_ns", int64(drift), "ticked", ticks)
}

var (
	joined  []time.Time
	ticking []*time.Ticker
)

// join makes a Ticker that nobody stops.
func join() {
	t := time.NewTicker(frame)
	ticking = append(ticking, t)
	joined = append(joined, time.Now())
	<-t.C
}

func tickers() {
	for time.Now().Before(end) {
		join()
	}
	unread := int64(0)
	for _, t := range joined {
		unread += int64(time.Since(t)/frame) - 1
	}
	fmt.Println("tickers", len(ticking), "unread", unread)
}

func crowdSleeper() {
	sleepEach(50 * time.Millisecond)
}

// heap: 5,000 sleepers of 50 ms in the heaps of two Ps.
func heap() {
	done.Add(5000)
	for i := 0; i < 5000; i++ {
		go crowdSleeper()
	}
	printLate("main.crowdSleeper")
}

func sleeper() {
	sleepEach(5 * time.Millisecond)
}

func spinner() {
	for time.Now().Before(end) {
	}
}

// hog: with GOMAXPROCS=1 a loop without calls has the only P until it is preempted.
func hog() {
	done.Add(1)
	go spinner()
	go sleeper()
	printLate("main.sleeper")
}

func briefSleeper() {
	sleepEach(200 * time.Microsecond)
}

// brief: timers below a millisecond.
func brief() {
	done.Add(1)
	go briefSleeper()
	printLate("main.briefSleeper")
}

var callbacks, onLocked, lockedTid, sleeps int64

func callback() {
	if atomic.AddInt64(&callbacks, 1); int64(syscall.Gettid()) == atomic.LoadInt64(&lockedTid) {
		atomic.AddInt64(&onLocked, 1)
	}
}

func lockedLoop() {
	runtime.LockOSThread()
	atomic.StoreInt64(&lockedTid, int64(syscall.Gettid()))
	for ; time.Now().Before(end); sleeps++ {
		time.AfterFunc(time.Millisecond, callback)
		time.Sleep(5 * time.Millisecond)
	}
	done.Done()
	select {} // stays locked
}

// locked: a goroutine with a thread of its own, whose AfterFunc runs on another.
func locked() {
	done.Add(1)
	go lockedLoop()
	done.Wait()
	fmt.Println("locked", lockedTid, "sleeps", sleeps, "callbacks", callbacks, "on_locked", onLocked)
}

func main() {
	stories := map[string]func(){"mixer": mixer, "tickers": tickers, "heap": heap, "hog": hog, "brief": brief,
		"locked": locked}
	tell := stories[self.Text(1, "")]
	if tell == nil {
		fmt.Fprintln(os.Stderr, "usage: story_timers STORY MS")
		os.Exit(64)
	}
	self.Ready()
	end = time.Now().Add(time.Duration(self.Number(2, 1000)) * time.Millisecond)
	tell()
	self.Done()
}
