// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

// churn [PROGRAM ARGUMENT...]
//
// Does everything that makes a Go runtime busy with itself, until stdin ends, and checks that nothing goes wrong:
// stacks that grow and move, panics, signals, preempted loops, timers, channels, locks, sockets, collections.
// Prints `fine N`, what was done, or `failed` and why; or becomes PROGRAM in the midst of it.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"./self"
)

// patience is for a thing that is to happen at once; under load it takes a while.
const patience = 20 * time.Second

var (
	ending int64
	done   int64
	turns  = []struct {
		name string
		take func()
	}{
		{"stacks", stacks}, {"panics", panics}, {"faults", faults}, {"signals", signals}, {"loops", loops},
		{"timers", timers}, {"ticks", ticks}, {"channels", channels}, {"selects", selects}, {"locks", locks},
		{"births", births}, {"sockets", sockets}, {"collections", collections},
	}
)

func fail(format string, values ...interface{}) {
	fmt.Println("failed", fmt.Sprintf(format, values...))
	os.Exit(1)
}

func expect(what string, found, wanted int) {
	if found != wanted {
		fail("%s: %d, not %d", what, found, wanted)
	}
}

// deep makes a stack of n frames, each with a pointer into the one above it, and looks whether they stay what they
// are when the stack moves.
func deep(n int, above *int) int {
	var frame [24]int
	if n == 0 {
		return 0
	}
	for i := range frame {
		frame[i] = n + i
	}
	depth := 1 + deep(n-1, &frame[n%len(frame)])
	for i := range frame {
		expect("stacks: in a frame", frame[i], n+i)
	}
	expect("stacks: in the frame above", *above, n+1+(n+1)%len(frame))
	return depth
}

func stacks() {
	var all sync.WaitGroup
	for i := 1000; i < 1800; i += 100 {
		all.Add(1)
		go func(n int) {
			defer all.Done()
			above := n + 1 + (n+1)%24
			expect("stacks", deep(n, &above), n)
		}(i)
	}
	all.Wait()
}

func throwAt(n int) {
	if n == 0 {
		panic("thrown")
	}
	defer runtime.Gosched()
	throwAt(n - 1)
}

func panics() {
	caught := 0
	for i := 0; i < 20; i++ {
		func() {
			defer func() {
				if recover() == "thrown" {
					caught++
				}
			}()
			throwAt(i)
		}()
	}
	expect("panics", caught, 20)
}

// faults are signals of the thread itself: SIGSEGV that becomes a panic.
func faults() {
	var nothing *struct{ pad, value [64]int }
	caught := 0
	for i := 0; i < 20; i++ {
		func() {
			defer func() {
				if _, is := recover().(runtime.Error); is {
					caught++
				}
			}()
			nothing.value[i]++
		}()
	}
	expect("faults", caught, 20)
	time.Sleep(time.Millisecond)
}

var arrived = make(chan os.Signal, 1)

func signals() {
	late := time.NewTimer(patience)
	defer late.Stop()
	self.Must(syscall.Kill(os.Getpid(), syscall.SIGUSR1), "kill")
	select {
	case <-arrived:
	case <-late.C:
		fail("signals: SIGUSR1 was lost")
	}
}

// loops run longer than the runtime lets them: sysmon preempts them with SIGURG.
func loops() {
	sum := 0
	for begin, i := time.Now(), 0; time.Since(begin) < 25*time.Millisecond; i++ {
		for j := 0; j < 100000; j++ {
			sum += j & 1
		}
		expect("loops", sum, 50000*(i+1))
	}
	time.Sleep(20 * time.Millisecond)
}

func timers() {
	var all sync.WaitGroup
	for i := 1; i <= 20; i++ {
		all.Add(2)
		length := time.Duration(i) * 100 * time.Microsecond
		begin := time.Now()
		time.AfterFunc(length, func() {
			if time.Since(begin) < length {
				fail("timers: a function was called early")
			}
			all.Done()
		})
		go func() {
			time.Sleep(length)
			if time.Since(begin) < length {
				fail("timers: a sleep was short")
			}
			all.Done()
		}()
		time.NewTimer(patience).Stop()
	}
	all.Wait()
}

func ticks() {
	ticker, late := time.NewTicker(time.Millisecond), time.NewTimer(patience)
	defer ticker.Stop()
	defer late.Stop()
	for i := 0; i < 10; i++ {
		select {
		case <-ticker.C:
		case <-late.C:
			fail("ticks: one did not come")
		}
	}
}

func channels() {
	const messages = 200
	from, to := make(chan int), make(chan int, 3)
	var workers sync.WaitGroup
	for i := 0; i < 4; i++ {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for n := range from {
				to <- n * 2
			}
		}()
	}
	go func() {
		for i := 1; i <= messages; i++ {
			from <- i
		}
		close(from)
		workers.Wait()
		close(to)
	}()
	sum := 0
	for n := range to {
		sum += n
	}
	expect("channels", sum, messages*(messages+1))
}

func selects() {
	ping, pong, quit := make(chan int), make(chan int), make(chan bool)
	go func() {
		for {
			select {
			case n := <-ping:
				pong <- n + 1
			case <-quit:
				close(pong)
				return
			}
		}
	}()
	late := time.NewTimer(patience)
	defer late.Stop()
	n := 0
	for i := 0; i < 100; i++ {
		ping <- n
		select {
		case n = <-pong:
		case <-late.C:
			fail("selects: no answer")
		}
	}
	expect("selects", n, 100)
	close(quit)
	<-pong
}

func locks() {
	var (
		lock  sync.Mutex
		table sync.RWMutex
		all   sync.WaitGroup
		sum   int
		rows  = map[int]int{}
	)
	for i := 0; i < 8; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for j := 0; j < 50; j++ {
				lock.Lock()
				before := sum
				if j%10 == 0 {
					runtime.Gosched()
				}
				sum = before + 1
				lock.Unlock()
				table.Lock()
				rows[j]++
				table.Unlock()
				table.RLock()
				if rows[j] < 1 {
					fail("locks: a row is gone")
				}
				table.RUnlock()
			}
		}()
	}
	all.Wait()
	expect("locks", sum, 8*50)
	expect("locks: a row", rows[49], 8)
}

func births() {
	var born int64
	var all sync.WaitGroup
	for i := 0; i < 200; i++ {
		all.Add(1)
		go func() {
			atomic.AddInt64(&born, 1)
			all.Done()
		}()
	}
	all.Wait()
	expect("births", int(born), 200)
}

func sockets() {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	self.Must(err, "listen")
	defer server.Close()
	go func() {
		side, err := server.Accept()
		self.Must(err, "accept")
		io.Copy(side, side)
		side.Close()
	}()
	side, err := net.Dial("tcp", server.Addr().String())
	self.Must(err, "dial")
	defer side.Close()
	side.SetDeadline(time.Now().Add(patience))
	for i := 0; i < 50; i++ {
		text := [4]byte{byte(i), 1, 2, 3}
		_, err := side.Write(text[:])
		self.Must(err, "write")
		var back [4]byte
		_, err = io.ReadFull(side, back[:])
		self.Must(err, "read")
		if back != text {
			fail("sockets: %v came back as %v", text, back)
		}
	}
}

func collections() {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	before := stats.NumGC
	runtime.GC()
	runtime.ReadMemStats(&stats)
	if stats.NumGC <= before {
		fail("collections: none was done")
	}
	time.Sleep(20 * time.Millisecond)
}

// stuck tells of those that did not end after they were asked to.
func stuck(running *[32]int64) {
	time.Sleep(patience)
	for i := range turns {
		if atomic.LoadInt64(&running[i]) != 0 {
			fail("%s: stuck", turns[i].name)
		}
	}
}

func main() {
	var (
		all, first sync.WaitGroup
		running    [32]int64
	)
	signal.Notify(arrived, syscall.SIGUSR1)
	self.Ready()
	for i := range turns {
		all.Add(1)
		first.Add(1)
		atomic.StoreInt64(&running[i], 1)
		go func(i int) {
			turns[i].take()
			first.Done()
			for ; atomic.LoadInt64(&ending) == 0; atomic.AddInt64(&done, 1) {
				turns[i].take()
			}
			atomic.StoreInt64(&running[i], 0)
			all.Done()
		}(i)
	}
	io.Copy(io.Discard, os.Stdin)
	if len(os.Args) > 1 {
		first.Wait()
		signal.Ignore(syscall.SIGUSR1)
		self.Must(syscall.Exec(os.Args[1], os.Args[1:], os.Environ()), os.Args[1])
	}
	atomic.StoreInt64(&ending, 1)
	go stuck(&running)
	all.Wait()
	fmt.Println("fine", done)
}
