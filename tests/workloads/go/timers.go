// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

// timers [MODE[,MODE...] [GOROUTINES [PERIOD_US [COUNT]]]]
//
// Waits of every kind that a Go timer ends: in each MODE so many GOROUTINES, of a function that belongs to the
// mode, wait PERIOD_US at a time, COUNT times, and measure how late they run: now - intended. The runtime reads
// its clock a little later than they read theirs, and has them run a little earlier.
package main

import (
	"context"
	"errors"
	"net"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"./self"
)

var (
	period time.Duration
	count  int
	done   sync.WaitGroup

	sleeps    = self.NewTruth("main.sleeper", "class", "sleep")
	timers    = self.NewTruth("main.timed", "class", "timer")
	tickers   = self.NewTruth("main.ticked", "class", "ticker")
	calls     = self.NewTruth("main.startCalls", "class", "func")
	contexts  = self.NewTruth("main.awaiter", "class", "func", "by", "context.WithDeadline*")
	deadlines = self.NewTruth("main.reader", "class", "deadline")
)

// A goroutine's function has no arguments: with them the compiler starts a function of its own.
var modes = []struct {
	name  string
	start func()
	truth *self.Truth
}{
	{"sleep", func() { go sleeper() }, sleeps},
	{"timer", func() { go timed() }, timers},
	{"ticker", func() { go ticked() }, tickers},
	{"afterfunc", startCalls, calls},
	{"context", func() { go awaiter() }, contexts},
	{"deadline", func() { go reader() }, deadlines},
}

func sleeper() {
	for late := sleeps.Take(count); !late.Full(); {
		asked := time.Now().Add(period)
		time.Sleep(period)
		late.Add(time.Since(asked))
	}
	done.Done()
}

func timed() {
	t := time.NewTimer(time.Hour)
	t.Stop()
	for late := timers.Take(count); !late.Full(); {
		asked := time.Now().Add(period)
		t.Reset(period)
		<-t.C
		late.Add(time.Since(asked))
	}
	done.Done()
}

// ticked measures only ticks that it waits for: one that found it busy woke nobody. From Go 1.23 on a tick carries
// the time asked for (and its channel has no buffer); before, the time at which its timer was run, and the runtime
// then asked for the first moment on the grid after that.
func ticked() {
	late := tickers.Take(count)
	start := time.Now()
	t := time.NewTicker(period)
	for next := time.Duration(1); !late.Full(); {
		select {
		case tick := <-t.C:
			next = tick.Sub(start)/period + 1
			continue
		default:
		}
		tick := <-t.C
		now := time.Now()
		on := tick.Sub(start) / period
		if cap(t.C) == 0 {
			next = on
		}
		late.Add(now.Sub(start) - next*period)
		next = on + 1
	}
	t.Stop()
	done.Done()
}

// startCalls has a function called that asks for its next call itself.
//
//go:noinline
func startCalls() {
	late := calls.Take(count)
	var t *time.Timer
	var asked time.Time
	again := func() {
		asked = time.Now().Add(period)
		t.Reset(period)
	}
	t = time.AfterFunc(time.Hour, func() {
		late.Add(time.Since(asked))
		if late.Full() {
			done.Done()
			return
		}
		again()
	})
	again()
}

func awaiter() {
	for late := contexts.Take(count); !late.Full(); {
		ctx, cancel := context.WithTimeout(context.Background(), period)
		asked, _ := ctx.Deadline()
		<-ctx.Done()
		late.Add(time.Since(asked))
		cancel()
	}
	done.Done()
}

func reader() {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	self.Must(err, "listen")
	var buf [1]byte
	for late := deadlines.Take(count); !late.Full(); {
		asked := time.Now().Add(period)
		self.Must(conn.SetReadDeadline(asked), "deadline")
		_, _, err = conn.ReadFrom(buf[:])
		late.Add(time.Since(asked))
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			self.Must(err, "read")
		}
	}
	conn.Close()
	done.Done()
}

func main() {
	wanted := "," + self.Text(1, "sleep") + ","
	goroutines := self.Number(2, 1)
	period = time.Duration(self.Number(3, 10000)) * time.Microsecond
	count = self.Number(4, 100)
	debug.SetGCPercent(-1) // a collection would be a wait of another kind
	self.Ready()
	for _, m := range modes {
		if !strings.Contains(wanted, ","+m.name+",") {
			continue
		}
		done.Add(goroutines)
		for i := 0; i < goroutines; i++ {
			m.start()
		}
	}
	done.Wait()
	for _, m := range modes {
		m.truth.Print()
	}
	self.Done()
}
