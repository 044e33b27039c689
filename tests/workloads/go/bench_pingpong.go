// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

// bench_pingpong ROUNDS
//
// Two goroutines that hand a number to and fro over unbuffered channels. Begins at a line on stdin,
// prints `ops N cpu_ns N` of it and ends.
package main

import (
	"fmt"

	"./self"
)

func pong(ping <-chan int, pong chan<- int) {
	for i := range ping {
		pong <- i
	}
}

func main() {
	rounds := self.Number(1, 100000)
	to, fro := make(chan int), make(chan int)
	go pong(to, fro)
	self.Ready()
	begin := self.CPUTime()
	for i := 0; i < rounds; i++ {
		to <- i
		<-fro
	}
	fmt.Println("ops", rounds, "cpu_ns", self.CPUTime()-begin)
}
