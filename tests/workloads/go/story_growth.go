// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

// story_growth STORY MS
//
// Stories of goroutines that become more and more, each with its cause planted: storm, leak, jobs. After a
// line on stdin it lasts MS milliseconds, then prints what it measured itself.
package main

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"./self"
)

// A goroutine's function has no arguments: with them the compiler starts a function of its own.
var end time.Time

var served int64

// signal takes a millisecond of a CPU. Those who come too late stay, to be counted.
func signal() {
	if time.Now().After(end) {
		select {}
	}
	self.Busy(time.Millisecond)
	atomic.AddInt64(&served, 1)
}

// accept starts a goroutine a request, `rate` a second, until then; gives how many. It waits for a P like the
// others, but leaves no request out.
func accept(rate float64, then time.Time) (n int) {
	for begin, isLast := time.Now(), false; !isLast; {
		now := time.Now()
		if isLast = now.After(then); isLast {
			now = then
		}
		for ; n < int(now.Sub(begin).Seconds()*rate); n++ {
			go signal()
		}
		if !isLast {
			time.Sleep(time.Millisecond)
		}
	}
	return n
}

// storm: for a third of the time few requests, then twice as many as two CPUs can serve.
func storm() {
	quiet := accept(100, end.Add(-time.Until(end)*2/3))
	all := quiet + accept(4000, end)
	fmt.Println("requests", all, "quiet", quiet, "served", atomic.LoadInt64(&served), "goroutines",
		runtime.NumGoroutine())
}

var calls = make(chan net.Conn)

// mediaReader reads without a deadline from a peer that sends nothing.
func mediaReader() {
	var b [1]byte
	c := <-calls
	c.Read(b[:])
}

// mediaWaiter misses that its call is done.
func mediaWaiter() {
	frames, keyframes := make(chan int), make(chan int)
	select {
	case <-frames:
	case <-keyframes:
	}
}

// leak: each call leaves two goroutines behind.
func leak() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	self.Must(err, "listen")
	n := 0
	for ; time.Now().Before(end); n++ {
		c, err := net.Dial("tcp", l.Addr().String())
		self.Must(err, "dial")
		go mediaReader()
		calls <- c
		go mediaWaiter()
		time.Sleep(10 * time.Millisecond)
	}
	fmt.Println("calls", n)
}

func job() {
	time.Sleep(time.Hour)
}

func schedule() (n int) {
	t := time.NewTicker(5 * time.Millisecond)
	defer t.Stop()
	for now := range t.C {
		if now.After(end) {
			break
		}
		go job()
		n++
	}
	return n
}

// jobs: a goroutine a tick, and nobody waits for it.
func jobs() {
	fmt.Println("jobs", schedule())
}

func main() {
	stories := map[string]func(){"storm": storm, "leak": leak, "jobs": jobs}
	tell := stories[self.Text(1, "")]
	if tell == nil {
		fmt.Fprintln(os.Stderr, "usage: story_growth STORY MS")
		os.Exit(64)
	}
	self.Ready()
	end = time.Now().Add(time.Duration(self.Number(2, 1000)) * time.Millisecond)
	tell()
	self.Done()
}
