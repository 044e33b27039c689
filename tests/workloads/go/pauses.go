// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

// pauses [COUNT [ALLOCATE_MB]]
//
// Stops the world for known reasons: COUNT collections asked for, then those that allocating so much starts;
// COUNT readings of the memory's statistics; COUNT changes of GOMAXPROCS. A list is how long each call took: it
// does more than to stop the world. What the runtime says itself of its collections is in the line `collections`:
// two pauses each. From Go 1.22 on it also keeps a histogram of all pauses, `kept`.
package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"

	"./self"
)

var (
	count, megabytes int
	done             sync.WaitGroup

	collections = self.NewTruth("main.collector", "reason", "gc")
	readings    = self.NewTruth("main.statReader", "reason", "stats")
	changes     = self.NewTruth("main.resizer", "reason", "procs")

	garbage []byte
)

func measure(t *self.Truth, stop func()) {
	for calls := t.Take(count); !calls.Full(); {
		begin := time.Now()
		stop()
		calls.Add(time.Since(begin))
	}
	done.Done()
}

func collector() {
	measure(collections, runtime.GC)
}

func statReader() {
	var stats runtime.MemStats
	measure(readings, func() { runtime.ReadMemStats(&stats) })
}

// resizer sets it to what it was not: the same would stop nothing.
func resizer() {
	procs := runtime.GOMAXPROCS(0)
	measure(changes, func() { runtime.GOMAXPROCS(3 - runtime.GOMAXPROCS(0)) })
	if procs != runtime.GOMAXPROCS(0) {
		panic("an odd number of changes")
	}
}

func allocator() {
	debug.SetGCPercent(50)
	for i := 0; i < megabytes*16; i++ {
		garbage = make([]byte, 1<<16)
	}
	debug.SetGCPercent(-1)
	done.Done()
}

// pauses counts those in the runtime's own histograms.
func pauses() (n uint64) {
	samples := []metrics.Sample{{Name: "/sched/pauses/total/gc:seconds"}, {Name: "/sched/pauses/total/other:seconds"}}
	metrics.Read(samples)
	for _, s := range samples {
		if s.Value.Kind() != metrics.KindFloat64Histogram {
			continue
		}
		for _, c := range s.Value.Float64Histogram().Counts {
			n += c
		}
	}
	return n
}

func main() {
	count = self.Number(1, 20)
	megabytes = self.Number(2, 64)
	debug.SetGCPercent(-1)
	var before, after debug.GCStats
	self.Ready()
	debug.ReadGCStats(&before)
	n := pauses()
	for _, f := range []func(){collector, statReader, resizer, allocator} {
		done.Add(1)
		go f()
		done.Wait()
	}
	n = pauses() - n
	debug.ReadGCStats(&after)
	for _, t := range []*self.Truth{collections, readings, changes} {
		t.Print()
	}
	fmt.Println("collections", after.NumGC-before.NumGC, "pause", int64(after.PauseTotal-before.PauseTotal), "kept", n)
	self.Done()
}
