// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

// sched MODE [GOROUTINES [COUNT [TRACE]]]
//
// Goroutines that wait for the scheduler in the way of the MODE, and measure it:
//
//	yield    give way, each COUNT times, with 20 us of work between: how long each took
//	hog      use the CPU for COUNT ms: gaps of 20 us or more in which they did not get it
//	spawn    one starts COUNT others, one after the other: from the go statement to its running
//	syscall  sleep 20 ms in the kernel, COUNT times, while goroutines that use the CPU have all Ps: how late
//	blocked  sleep 5 ms in the kernel, COUNT times, unseen by the Go scheduler (rawBlocker) and seen (blocker)
//
// The runtime's own histogram of the time between runnable and running, of one in eight, is in the lines
// `latency_lo`. TRACE: a file for the runtime's own trace of the same time.
package main

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"runtime/trace"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"./self"
)

const (
	work     = 20 * time.Microsecond
	gap      = 20 * time.Microsecond // what is shorter, is not for want of a CPU
	inKernel = 20 * time.Millisecond
	blocked  = 5 * time.Millisecond
)

var (
	count int
	done  sync.WaitGroup

	yields = self.NewTruth("main.yielder", "class", "yielded")
	gaps   = self.NewTruth("main.hog", "class", "preempted")
	starts = self.NewTruth("main.child", "class", "new")
	exits  = self.NewTruth("main.caller", "class", "syscall", "slept", int64(inKernel))
	raws   = self.NewTruth("main.rawBlocker", "class", "blocked")
	blocks = self.NewTruth("main.blocker", "class", "blocked")

	spawned = make(chan bool)
	started time.Time
	spawns  *self.List
	over    int32
)

func yielder() {
	for waits := yields.Take(count); !waits.Full(); {
		self.Busy(work)
		begin := time.Now()
		runtime.Gosched()
		waits.Add(time.Since(begin))
	}
	done.Done()
}

func hog() {
	waits := gaps.Take(100 * count)
	last := time.Now()
	for end := last.Add(time.Duration(count) * time.Millisecond); last.Before(end); {
		now := time.Now()
		if now.Sub(last) >= gap {
			waits.Add(now.Sub(last))
		}
		last = now
	}
	done.Done()
}

func child() {
	spawns.Add(time.Since(started))
	spawned <- true
}

func spawner() {
	spawns = starts.Take(count)
	for i := 0; i < count; i++ {
		started = time.Now()
		go child()
		<-spawned
	}
	done.Done()
}

func pressure() {
	for atomic.LoadInt32(&over) == 0 {
	}
}

type sleep func(*syscall.Timespec)

func seen(ts *syscall.Timespec) {
	syscall.Nanosleep(ts, nil)
}

func unseen(ts *syscall.Timespec) {
	syscall.RawSyscall(syscall.SYS_NANOSLEEP, uintptr(unsafe.Pointer(ts)), 0, 0)
}

// kernelSleep sleeps in the kernel and measures how much longer than `less` that took.
func kernelSleep(t *self.Truth, call sleep, d, less time.Duration) {
	for waits := t.Take(count); !waits.Full(); {
		ts := syscall.NsecToTimespec(int64(d))
		begin := time.Now()
		call(&ts)
		waits.Add(time.Since(begin) - less)
	}
	done.Done()
}

func caller() {
	kernelSleep(exits, seen, inKernel, inKernel)
}

func blocker() {
	kernelSleep(blocks, seen, blocked, 0)
}

func rawBlocker() {
	kernelSleep(raws, unseen, blocked, 0)
}

// The goroutines' functions have no arguments: with them the compiler starts a function of its own.
var modes = map[string]struct {
	start  []func()
	truths []*self.Truth
}{
	"yield":   {[]func(){func() { go yielder() }}, []*self.Truth{yields}},
	"hog":     {[]func(){func() { go hog() }}, []*self.Truth{gaps}},
	"spawn":   {[]func(){func() { go spawner() }}, []*self.Truth{starts}},
	"syscall": {[]func(){func() { go caller() }}, []*self.Truth{exits}},
	"blocked": {[]func(){func() { go rawBlocker() }, func() { go blocker() }}, []*self.Truth{raws, blocks}},
}

func latencies() *metrics.Float64Histogram {
	samples := []metrics.Sample{{Name: "/sched/latencies:seconds"}}
	metrics.Read(samples)
	return samples[0].Value.Float64Histogram()
}

func printLatencies(before, after *metrics.Float64Histogram) {
	for i, n := range after.Counts {
		low, high := after.Buckets[i], after.Buckets[i+1]
		if n -= before.Counts[i]; n > 0 && !math.IsInf(low, 0) && !math.IsInf(high, 0) {
			fmt.Printf("latency_lo %.0f latency_hi %.0f count %d\n", low*1e9, high*1e9, n)
		}
	}
}

// traceInto gives what ends the trace.
func traceInto(file string) func() {
	if file == "" {
		return func() {}
	}
	f, err := os.Create(file)
	self.Must(err, file)
	self.Must(trace.Start(f), "trace")
	return func() {
		trace.Stop()
		self.Must(f.Close(), file)
	}
}

func main() {
	mode, known := modes[self.Text(1, "yield")]
	if !known {
		self.Must(os.ErrInvalid, self.Text(1, ""))
	}
	goroutines := self.Number(2, 4)
	count = self.Number(3, 100)
	debug.SetGCPercent(-1) // a collection would be a wait of another kind
	self.Ready()
	endTrace := traceInto(self.Text(4, ""))
	if self.Text(1, "") == "syscall" {
		for i := 0; i < runtime.GOMAXPROCS(0); i++ {
			go pressure()
		}
	}
	before := latencies()
	for i := 0; i < goroutines; i++ {
		for _, start := range mode.start {
			done.Add(1)
			start()
		}
	}
	done.Wait()
	after := latencies()
	atomic.StoreInt32(&over, 1)
	endTrace()
	for _, t := range mode.truths {
		t.Print()
	}
	printLatencies(before, after)
	self.Done()
}
