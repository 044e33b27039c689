// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

// Prints what the runtime says of its own code. First `main 0xADDRESS` of main.main, then for each of
// several call chains, from the innermost on, a line `0xPC FUNCTION FILE:LINE` a frame and an empty
// line. A PC is a return address; frames that are inlined into the next one have one near it.
package main

import (
	"reflect"
	"runtime"
	"sort"
	"strconv"
	"sync"
)

type shape interface{ area() int }

type square struct{ side int }

func (s *square) area() int { return twice(s.side) }

//go:noinline
func show(n int) int {
	var pcs [64]uintptr
	cnt := runtime.Callers(2, pcs[:])
	frames := runtime.CallersFrames(pcs[:cnt])
	for i := 0; i < cnt; i++ {
		f, _ := frames.Next()
		print("0x", strconv.FormatUint(uint64(pcs[i]), 16), " ", f.Function, " ", f.File, ":", f.Line, "\n")
	}
	print("\n")
	return n
}

// Three that are inlined into each other.
func once(n int) int { return show(n) + 1 }

func twice(n int) int {
	n++
	return once(n) + n
}

func thrice(n int) int {
	if n > 1000 {
		return n
	}
	return twice(n * 2)
}

//go:noinline
func outer(n int) int {
	total := thrice(n)
	return total + once(total)
}

type pair[T any] struct{ a, b T }

//go:noinline
func (p pair[T]) each(f func(T) int) int { return f(p.a) + f(p.b) }

//go:noinline
func measure(s shape) int { return s.area() }

func main() {
	var first sync.Once
	var wait sync.WaitGroup
	print("main 0x", strconv.FormatUint(uint64(reflect.ValueOf(main).Pointer()), 16), "\n")
	outer(1)
	measure(&square{3})
	pair[string]{"a", "b"}.each(func(s string) int { return once(len(s)) })
	first.Do(func() { show(0) })
	shown := false
	sort.Slice([]int{3, 2, 1}, func(i, j int) bool {
		if !shown {
			shown = true
			thrice(i)
		}
		return i < j
	})
	wait.Add(1)
	go func() {
		defer wait.Done()
		defer func() { once(2) }()
	}()
	wait.Wait()
}
