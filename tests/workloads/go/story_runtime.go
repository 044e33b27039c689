// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

// story_runtime STORY MS
//
// Stories of what the Go runtime does to goroutines, each with its cause planted: gc, finalizer, syscalls,
// netpoll. After a line on stdin it lasts MS milliseconds, then prints what it measured itself.
package main

import (
	"fmt"
	"net"
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

func spinner() {
	for time.Now().Before(end) {
	}
}

type node struct {
	next *node
	data [256]byte
}

func allocator() {
	var list *node
	for i := 0; time.Now().Before(end); i++ {
		if list = (&node{next: list}); i%20000 == 0 {
			list = nil
		}
	}
	done.Done()
}

var looks int

// monitor looks at the heap a hundred times a second: each look stops the world.
func monitor() {
	var stats runtime.MemStats
	for ; time.Now().Before(end); looks++ {
		runtime.ReadMemStats(&stats)
		time.Sleep(10 * time.Millisecond)
	}
	done.Done()
}

// gc: the world is stopped by the garbage collector, and by a monitor.
func gc() {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	done.Add(2)
	go allocator()
	go monitor()
	done.Wait()
	runtime.ReadMemStats(&after)
	fmt.Println("cycles", after.NumGC-before.NumGC, "pause_ns", after.PauseTotalNs-before.PauseTotalNs, "looks",
		looks+2)
}

var (
	finalizing = make(chan bool)
	finalized  int64
)

func neverEnds(*node) {
	close(finalizing)
	for {
	}
}

func ends(*node) {
	atomic.AddInt64(&finalized, 1)
}

func drop(f func(*node)) {
	runtime.SetFinalizer(&node{}, f)
}

// finalizer: one spins, so that those behind it do not run, and competes with two who work.
func finalizer() {
	drop(neverEnds)
	for started := false; !started; {
		runtime.GC()
		select {
		case <-finalizing:
			started = true
		case <-time.After(time.Millisecond):
		}
	}
	for i := 0; i < 1000; i++ {
		drop(ends)
	}
	runtime.GC()
	go spinner()
	go spinner()
	time.Sleep(time.Until(end) - 50*time.Millisecond)
	fmt.Println("finalized", atomic.LoadInt64(&finalized), "of", 1000)
}

var (
	readers = make(chan int)
	reads   int64
)

func blockedReader() {
	var b [1]byte
	for fd := <-readers; ; {
		if n, _ := syscall.Read(fd, b[:]); n > 0 {
			atomic.AddInt64(&reads, 1)
		}
	}
}

// syscalls: 40 blocking reads, of which each comes back to Ps that two spinning goroutines have.
func syscalls() {
	var pipes [40][2]int
	for i := range pipes {
		self.Must(syscall.Pipe(pipes[i][:]), "pipe")
		go blockedReader()
		readers <- pipes[i][0]
	}
	go spinner()
	go spinner()
	writes := 0
	for time.Now().Before(end) {
		for i := range pipes {
			syscall.Write(pipes[i][1], []byte{0})
			writes++
		}
		time.Sleep(20 * time.Millisecond)
	}
	fmt.Println("reads", atomic.LoadInt64(&reads), "writes", writes)
}

var (
	listener net.Listener
	accepted = make(chan net.Conn)
	conns    int64
)

// echo answers until the peer closes.
func echo() {
	var b [1]byte
	c := <-accepted
	for {
		if _, err := c.Read(b[:]); err != nil {
			break
		}
		c.Write(b[:])
	}
	c.Close()
}

func acceptor() {
	for {
		c, err := listener.Accept()
		self.Must(err, "accept")
		go echo()
		accepted <- c
	}
}

func dial() net.Conn {
	c, err := net.Dial("tcp", listener.Addr().String())
	self.Must(err, "dial")
	return c
}

func ask(c net.Conn) {
	var b [1]byte
	c.Write(b[:])
	_, err := c.Read(b[:])
	self.Must(err, "read")
}

// shortLived makes connections, each for one byte. Closed with a reset: no port stays behind in TIME_WAIT.
func shortLived() {
	for time.Now().Before(end) {
		c := dial()
		ask(c)
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
		atomic.AddInt64(&conns, 1)
	}
}

var answers = struct {
	until          time.Time
	quiet, starved []int64
}{}

// longLived asks on one connection every 2 ms.
func longLived() {
	c := dial()
	for now := time.Now(); now.Before(end); now = time.Now() {
		begin := time.Now()
		ask(c)
		if took := int64(time.Since(begin)); now.Before(answers.until) {
			answers.quiet = append(answers.quiet, took)
		} else {
			answers.starved = append(answers.starved, took)
		}
		time.Sleep(2 * time.Millisecond)
	}
	done.Done()
}

// netpoll: for a third of the time one long-lived connection is alone, then 16 make short ones beside it.
func netpoll() {
	var err error
	listener, err = net.Listen("tcp", "127.0.0.1:0")
	self.Must(err, "listen")
	go acceptor()
	answers.until = end.Add(-time.Until(end) * 2 / 3)
	done.Add(1)
	go longLived()
	time.Sleep(time.Until(answers.until))
	for i := 0; i < 16; i++ {
		go shortLived()
	}
	done.Wait()
	for _, took := range [][]int64{answers.quiet, answers.starved} {
		sort.Slice(took, func(i, j int) bool { return took[i] < took[j] })
		fmt.Println("answers", len(took), "p50", took[len(took)/2])
	}
	fmt.Println("conns", atomic.LoadInt64(&conns), "quiet", len(answers.quiet), "starved", len(answers.starved))
}

func main() {
	stories := map[string]func(){"gc": gc, "finalizer": finalizer, "syscalls": syscalls, "netpoll": netpoll}
	tell := stories[self.Text(1, "")]
	if tell == nil {
		fmt.Fprintln(os.Stderr, "usage: story_runtime STORY MS")
		os.Exit(64)
	}
	self.Ready()
	end = time.Now().Add(time.Duration(self.Number(2, 1000)) * time.Millisecond)
	tell()
	self.Done()
}
