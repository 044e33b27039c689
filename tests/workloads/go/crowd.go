// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

// crowd has goroutines whose number, place and state are known, for what reads them from outside.
//
//	crowd [-receive N] [-send N] ... [-timers N]
//
// It prints what it has, `key value` a line, and `ready` once all goroutines are about to block. Then it takes
// lines: `gc` collects garbage, `churn N` lets N short goroutines run; each is answered with `done`. It ends
// when stdin does.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

var (
	arrived  int64
	never    = make(chan int)
	full     = make(chan int, 1)
	held     sync.Mutex
	cond     = sync.NewCond(&sync.Mutex{})
	group    sync.WaitGroup
	pipes    [2]int
	timers   []*time.Timer
	expected int64
)

func here() { atomic.AddInt64(&arrived, 1) }

//go:noinline
func inReceive() { here(); <-never }

//go:noinline
func inSend() { here(); full <- 1 }

//go:noinline
func inSelect() {
	here()
	select {
	case <-never:
	case full <- 1:
	}
}

//go:noinline
func inMutex() { here(); held.Lock() }

//go:noinline
func inSleep() { here(); time.Sleep(time.Hour) }

//go:noinline
func inCond() {
	cond.L.Lock()
	here()
	cond.Wait()
}

//go:noinline
func inWait() { here(); group.Wait() }

//go:noinline
func inRead() {
	var b [1]byte

	here()
	syscall.Read(pipes[0], b[:])
}

//go:noinline
func inLocked() {
	runtime.LockOSThread()
	here()
	<-never
}

var labelled = pprof.WithLabels(context.Background(), pprof.Labels("tenant", "blue", "kind", "batch"))

// All have the same labels.
//
//go:noinline
func inLabels() {
	pprof.SetGoroutineLabels(labelled)
	here()
	<-never
}

var tenants int64

// Everyone has labels of their own.
//
//go:noinline
func inTenant() {
	labels := pprof.Labels("tenant", fmt.Sprint(atomic.AddInt64(&tenants, 1)))
	pprof.Do(context.Background(), labels, func(context.Context) {
		here()
		<-never
	})
}

func churn(n int) {
	var all sync.WaitGroup

	all.Add(n)
	for i := 0; i < n; i++ {
		go all.Done()
	}
	all.Wait()
}

func main() {
	kinds := []struct {
		name string
		run  func()
		cnt  *int
	}{
		{"receive", inReceive, nil}, {"send", inSend, nil}, {"select", inSelect, nil},
		{"mutex", inMutex, nil}, {"sleep", inSleep, nil}, {"cond", inCond, nil}, {"wait", inWait, nil},
		{"read", inRead, nil}, {"locked", inLocked, nil}, {"labels", inLabels, nil},
		{"tenants", inTenant, nil},
	}
	for i := range kinds {
		kinds[i].cnt = flag.Int(kinds[i].name, 0, "goroutines of this kind")
	}
	timerCnt := flag.Int("timers", 0, "timers that are armed")
	flag.Parse()
	if err := syscall.Pipe(pipes[:]); err != nil {
		panic(err)
	}
	full <- 1
	held.Lock()
	group.Add(1)
	for _, k := range kinds {
		for i := 0; i < *k.cnt; i++ {
			go k.run()
		}
		fmt.Println(k.name, *k.cnt)
		expected += int64(*k.cnt)
	}
	for i := 0; i < *timerCnt; i++ {
		timers = append(timers, time.AfterFunc(time.Hour, func() {}))
	}
	fmt.Println("timers", *timerCnt)
	for atomic.LoadInt64(&arrived) < expected {
		time.Sleep(time.Millisecond)
	}
	fmt.Println("goroutines", runtime.NumGoroutine())
	fmt.Println("gomaxprocs", runtime.GOMAXPROCS(0))
	fmt.Println("ready")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); fmt.Println("done") {
		var n int

		if _, err := fmt.Sscanf(in.Text(), "churn %d", &n); err == nil {
			churn(n)
		}
		if in.Text() == "gc" {
			runtime.GC()
		}
	}
}
