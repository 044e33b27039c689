// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

// locks [COUNT [HOLD_US]]
//
// Planted waits for locks and channels: of each kind one goroutine waits COUNT times, at the same place, for
// another that lets it wait HOLD_US, and measures how long it did. Between the waits they sleep; they wait for
// nothing else. `lock` is where in memory the semaphore lies that is waited for.
package main

import (
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"./self"
)

// pair is a kind of wait: take and release are the holder's, wait and leave the waiter's. Each has a goroutine
// of a function of its own, so that their names tell them apart.
type pair struct {
	class, name                string // goroutines main.NAMEHolder and main.NAMEWaiter, the place main.NAMEWait
	holder, waiter             func()
	take, release, wait, leave func()
	lock                       unsafe.Pointer
	truth                      *self.Truth
	turns, waits               int64 // that the holder has begun, that the waiter has ended
}

var (
	count int
	hold  time.Duration
	done  sync.WaitGroup
	pairs []*pair

	mutex            sync.Mutex
	readers, writers sync.RWMutex
	condLock         sync.Mutex
	cond             = sync.NewCond(&condLock)
	signalled        bool
	group            sync.WaitGroup
	sent, received   = make(chan int), make(chan int)
	selected, never  = make(chan int), make(chan int)
)

func nothing() {}

func mutexHolder()   { pairs[0].hold() }
func mutexWaiter()   { pairs[0].await() }
func mutexWait()     { mutex.Lock() }
func writerHolder()  { pairs[1].hold() }
func writerWaiter()  { pairs[1].await() }
func writerWait()    { readers.Lock() }
func readerHolder()  { pairs[2].hold() }
func readerWaiter()  { pairs[2].await() }
func readerWait()    { writers.RLock() }
func condHolder()    { pairs[3].hold() }
func condWaiter()    { pairs[3].await() }
func groupHolder()   { pairs[4].hold() }
func groupWaiter()   { pairs[4].await() }
func groupWait()     { group.Wait() }
func sendHolder()    { pairs[5].hold() }
func sendWaiter()    { pairs[5].await() }
func sendWait()      { sent <- 1 }
func receiveHolder() { pairs[6].hold() }
func receiveWaiter() { pairs[6].await() }
func receiveWait()   { <-received }
func selectHolder()  { pairs[7].hold() }
func selectWaiter()  { pairs[7].await() }

func condWait() {
	condLock.Lock()
	for !signalled {
		cond.Wait()
	}
	signalled = false
	condLock.Unlock()
}

func condRelease() {
	condLock.Lock()
	signalled = true
	condLock.Unlock()
	cond.Signal()
}

func selectWait() {
	select {
	case <-selected:
	case <-never:
	}
}

func init() {
	pairs = []*pair{
		{class: "mutex", name: "mutex", holder: mutexHolder, waiter: mutexWaiter, take: mutex.Lock,
			release: mutex.Unlock, wait: mutexWait, leave: mutex.Unlock, lock: unsafe.Pointer(&mutex)},
		{class: "rwlock", name: "writer", holder: writerHolder, waiter: writerWaiter, take: readers.RLock,
			release: readers.RUnlock, wait: writerWait, leave: readers.Unlock, lock: unsafe.Pointer(&readers)},
		{class: "rwlock", name: "reader", holder: readerHolder, waiter: readerWaiter, take: writers.Lock,
			release: writers.Unlock, wait: readerWait, leave: writers.RUnlock, lock: unsafe.Pointer(&writers)},
		{class: "cond", name: "cond", holder: condHolder, waiter: condWaiter, take: nothing,
			release: condRelease, wait: condWait, leave: nothing},
		{class: "waitgroup", name: "group", holder: groupHolder, waiter: groupWaiter,
			take: func() { group.Add(1) }, release: group.Done, wait: groupWait, leave: nothing,
			lock: unsafe.Pointer(&group)},
		{class: "send", name: "send", holder: sendHolder, waiter: sendWaiter, take: nothing,
			release: func() { <-sent }, wait: sendWait, leave: nothing},
		{class: "receive", name: "receive", holder: receiveHolder, waiter: receiveWaiter, take: nothing,
			release: func() { received <- 1 }, wait: receiveWait, leave: nothing},
		{class: "select", name: "select", holder: selectHolder, waiter: selectWaiter, take: nothing,
			release: func() { selected <- 1 }, wait: selectWait, leave: nothing},
	}
}

func (p *pair) hold() {
	for i := int64(1); i <= int64(count); i++ {
		self.Await(&p.waits, i-1)
		p.take()
		atomic.StoreInt64(&p.turns, i)
		time.Sleep(hold)
		p.release()
	}
	done.Done()
}

func (p *pair) await() {
	for waits := p.truth.Take(count); !waits.Full(); {
		self.Await(&p.turns, p.waits+1)
		begin := time.Now()
		p.wait()
		waits.Add(time.Since(begin))
		p.leave()
		atomic.AddInt64(&p.waits, 1)
	}
	done.Done()
}

func main() {
	count = self.Number(1, 20)
	hold = time.Duration(self.Number(2, 20000)) * time.Microsecond
	debug.SetGCPercent(-1) // a collection would be a wait of another kind
	for _, p := range pairs {
		p.truth = self.NewTruth("main."+p.name+"Waiter", "class", p.class, "waker", "main."+p.name+"Holder",
			"place", "main."+p.name+"Wait", "lock", fmt.Sprintf("%#x", uintptr(p.lock)))
	}
	self.Ready()
	for _, p := range pairs {
		done.Add(2)
		go p.holder()
		go p.waiter()
	}
	done.Wait()
	for _, p := range pairs {
		p.truth.Print()
	}
	self.Done()
}
