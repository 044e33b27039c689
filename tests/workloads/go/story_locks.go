// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

// story_locks STORY MS
//
// Stories of goroutines that wait for each other, each with its cause planted: convoy, logger, senders, pool.
// After a line on stdin it lasts MS milliseconds, then prints what it measured itself.
package main

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"./self"
)

// A goroutine's function has no arguments: with them the compiler starts a function of its own.
var (
	end  time.Time
	done sync.WaitGroup
)

// waits of the goroutines of one function.
type waits struct {
	count, sum int64
}

func (w *waits) add(begin time.Time) {
	if d := time.Since(begin); d > 50*time.Microsecond {
		atomic.AddInt64(&w.count, 1)
		atomic.AddInt64(&w.sum, int64(d))
	}
}

func (w *waits) print(name string) {
	fmt.Println("waits", name, "count", w.count, "sum_ns", w.sum)
}

type room struct {
	sync.Mutex
	waits
}

var lobby room

// publish holds the room's lock for 10 ms.
func (r *room) publish() {
	begin := time.Now()
	r.Lock()
	r.add(begin)
	time.Sleep(10 * time.Millisecond)
	r.Unlock()
}

func publisher() {
	for time.Now().Before(end) {
		lobby.publish()
	}
	done.Done()
}

// convoy: a hundred queue for a lock that is held for 10 ms.
func convoy() {
	done.Add(100)
	for i := 0; i < 100; i++ {
		go publisher()
	}
	done.Wait()
	lobby.print("main.publisher")
}

type logger struct {
	sync.Mutex
}

// write takes a millisecond, as to a slow disk.
func (l *logger) write(w *waits) {
	begin := time.Now()
	l.Lock()
	w.add(begin)
	time.Sleep(time.Millisecond)
	l.Unlock()
}

type cache struct {
	sync.Mutex
	entries map[int]int
}

func (c *cache) get(key int) int {
	c.Lock()
	defer c.Unlock()
	return c.entries[key]
}

var (
	log                  logger
	users                cache
	ofHandlers, ofHealth waits
)

func handler() {
	for i := 0; time.Now().Before(end); i++ {
		users.get(i)
		log.write(&ofHandlers)
	}
	done.Done()
}

func health() {
	for time.Now().Before(end) {
		log.write(&ofHealth)
		time.Sleep(20 * time.Millisecond)
	}
	done.Done()
}

// logAll: everybody logs through one lock, the health check too.
func logAll() {
	done.Add(21)
	for i := 0; i < 20; i++ {
		go handler()
	}
	go health()
	done.Wait()
	ofHandlers.print("main.handler")
	ofHealth.print("main.health")
}

var unread = make(chan int)

func sender() {
	unread <- 1
}

// senders: a thousand block on a channel that nobody reads.
func senders() {
	for i := 0; i < 1000; i++ {
		go sender()
	}
	time.Sleep(time.Until(end))
	fmt.Println("senders", 1000)
}

type pool struct {
	free chan int
}

var db = pool{free: make(chan int, 10)}

func (p *pool) get() int {
	return <-p.free
}

// query never gives its connection back.
func query() {
	db.get()
	done.Done()
	select {}
}

// handle has no deadline.
func handle() {
	db.free <- db.get()
}

// serve: ten connections are taken, who comes after that waits.
func serve() {
	done.Add(cap(db.free))
	for i := 0; i < cap(db.free); i++ {
		db.free <- i
		go query()
	}
	done.Wait()
	handlers := 0
	for ; time.Now().Before(end); handlers++ {
		go handle()
		time.Sleep(5 * time.Millisecond)
	}
	fmt.Println("handlers", handlers)
}

func main() {
	stories := map[string]func(){"convoy": convoy, "logger": logAll, "senders": senders, "pool": serve}
	tell := stories[self.Text(1, "")]
	if tell == nil {
		fmt.Fprintln(os.Stderr, "usage: story_locks STORY MS")
		os.Exit(64)
	}
	self.Ready()
	end = time.Now().Add(time.Duration(self.Number(2, 1000)) * time.Millisecond)
	tell()
	self.Done()
}
