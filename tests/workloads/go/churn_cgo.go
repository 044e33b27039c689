// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

// churn_cgo
//
// As churn, across C: Go calls C, which calls Go back, from its own threads too, and panics pass through.
package main

/*
#include <pthread.h>

extern int calledBack(int n);

static int through(int n)
{
	volatile char frame[512];

	frame[n % sizeof(frame)] = 1;
	return calledBack(n) + frame[n % sizeof(frame)];
}

static void *thread(void *n)
{
	return (void *)(long)through((int)(long)n);
}

static int on_a_thread(int n)
{
	pthread_t t;
	void *sum;

	if (pthread_create(&t, 0, thread, (void *)(long)n) || pthread_join(t, &sum))
		return -1;
	return (int)(long)sum;
}
*/
import "C"

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"./self"
)

var ending, done int64

func expect(what string, found, wanted int) {
	if found != wanted {
		fmt.Printf("failed %s: %d, not %d\n", what, found, wanted)
		os.Exit(1)
	}
}

func deep(n int) int {
	var frame [64]int
	if n == 0 {
		return 0
	}
	frame[n%64] = n
	return deep(n-1) + frame[n%64] - n + 1
}

// calledBack goes down to 0 through C and Go; below 0 it throws.
//
//export calledBack
func calledBack(n C.int) C.int {
	if n < 0 {
		panic("thrown")
	}
	expect("stack", deep(200), 200)
	if n == 0 {
		runtime.Gosched()
		return 0
	}
	if n%3 == 0 {
		time.Sleep(50 * time.Microsecond)
	}
	return C.through(n - 1)
}

func calls() {
	expect("calls", int(C.through(10)), 11)
}

func threads() {
	expect("threads", int(C.on_a_thread(4)), 5)
	time.Sleep(time.Millisecond)
}

func panics() {
	caught := 0
	for i := 0; i < 10; i++ {
		func() {
			defer func() {
				if recover() == "thrown" {
					caught++
				}
			}()
			C.through(-1)
		}()
	}
	expect("panics", caught, 10)
}

func collections() {
	runtime.GC()
	time.Sleep(10 * time.Millisecond)
}

func main() {
	var all sync.WaitGroup
	self.Ready()
	for _, take := range []func(){calls, calls, threads, threads, panics, collections} {
		all.Add(1)
		go func(take func()) {
			for atomic.LoadInt64(&ending) == 0 {
				take()
				atomic.AddInt64(&done, 1)
			}
			all.Done()
		}(take)
	}
	io.Copy(io.Discard, os.Stdin)
	atomic.StoreInt64(&ending, 1)
	all.Wait()
	fmt.Println("fine", done)
}
