// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

// story_cgo MS
//
// Sleeps in C code, each of which takes a thread. After a line on stdin it lasts MS milliseconds, then prints
// what it has.
package main

// #include <unistd.h>
import "C"

import (
	"fmt"
	"time"

	"./self"
)

var end time.Time

func cSleeper() {
	for time.Now().Before(end) {
		C.usleep(100000)
	}
}

func main() {
	self.Ready()
	end = time.Now().Add(time.Duration(self.Number(1, 2000)) * time.Millisecond)
	for i := 0; i < 30; i++ {
		go cSleeper()
		time.Sleep(30 * time.Millisecond)
	}
	time.Sleep(time.Until(end.Add(-50 * time.Millisecond)))
	fmt.Println("sleepers", 30)
	self.Done()
}
