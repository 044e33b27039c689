// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

// bench_sleepers COUNT SLEEPS
//
// COUNT goroutines that each sleep 10 ms SLEEPS times. Begins at a line on stdin, prints `ops N cpu_ns N`
// of it and ends.
package main

import (
	"fmt"
	"sync"
	"time"

	"./self"
)

func sleeper(sleeps int, begin <-chan bool, done *sync.WaitGroup) {
	<-begin
	for i := 0; i < sleeps; i++ {
		time.Sleep(10 * time.Millisecond)
	}
	done.Done()
}

func main() {
	count, sleeps := self.Number(1, 1000), self.Number(2, 100)
	var done sync.WaitGroup
	begin := make(chan bool)
	for i := 0; i < count; i++ {
		done.Add(1)
		go sleeper(sleeps, begin, &done)
	}
	self.Ready()
	before := self.CPUTime()
	close(begin)
	done.Wait()
	fmt.Println("ops", count*sleeps, "cpu_ns", self.CPUTime()-before)
}
