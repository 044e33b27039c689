// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

// Package self is what workloads share that measure themselves: when they begin and end, lists of their own
// latencies, and the lines they report as truth: `key value key value ...`, times in ns. Any failure ends the
// program with status 1: a workload that did not do what it claims is no truth.
package self

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

var stdin = bufio.NewReader(os.Stdin)

// Must ends the program on an error.
func Must(err error, what string) {
	if err == nil {
		return
	}
	fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
	os.Exit(1)
}

// Number is the number at os.Args[i], or the default if there is none.
func Number(i, otherwise int) int {
	if i >= len(os.Args) {
		return otherwise
	}
	n, err := strconv.Atoi(os.Args[i])
	Must(err, os.Args[i])
	return n
}

// Text is os.Args[i], or the default if there is none.
func Text(i int, otherwise string) string {
	if i >= len(os.Args) {
		return otherwise
	}
	return os.Args[i]
}

// Ready says so and waits for a line on stdin, or its end.
func Ready() {
	fmt.Println("process", os.Getpid(), "version", runtime.Version(), "procs", runtime.GOMAXPROCS(0))
	fmt.Println("ready")
	stdin.ReadString('\n')
}

// Done says so and waits for the end of stdin: whoever looks on can look up names until then.
func Done() {
	fmt.Println("done")
	for err := error(nil); err == nil; {
		_, err = stdin.ReadString('\n')
	}
}

// Await sleeps until the counter is at least n: no wait for a lock or a channel.
func Await(counter *int64, n int64) {
	for atomic.LoadInt64(counter) < n {
		time.Sleep(100 * time.Microsecond)
	}
}

// Busy uses the CPU.
func Busy(d time.Duration) {
	for begin := time.Now(); time.Since(begin) < d; {
	}
}

// Truth is the own measure of all goroutines of one function; each goroutine has a List to itself.
type Truth struct {
	name, extra string
	mutex       sync.Mutex
	lists       []*List
}

// List is the latencies of one goroutine, in the order they happened. It never allocates: that would be a wait too.
type List struct {
	ns []int64
}

// NewTruth names the goroutine's function; extra is further keys and values.
func NewTruth(name string, extra ...interface{}) *Truth {
	return &Truth{name: name, extra: strings.TrimSuffix(fmt.Sprintln(extra...), "\n")}
}

// Take gives a goroutine its list.
func (t *Truth) Take(capacity int) *List {
	l := &List{ns: make([]int64, 0, capacity)}
	t.mutex.Lock()
	t.lists = append(t.lists, l)
	t.mutex.Unlock()
	return l
}

// Add keeps a latency, unless the list is full.
func (l *List) Add(d time.Duration) {
	if len(l.ns) == cap(l.ns) {
		return
	}
	if d < 0 {
		d = 0
	}
	l.ns = append(l.ns, int64(d))
}

// Full says whether the list has as many as it was made for.
func (l *List) Full() bool {
	return len(l.ns) == cap(l.ns)
}

// Print gives the line: nearest-rank quantiles, the sum, and every latency, goroutine after goroutine.
func (t *Truth) Print() {
	var all []int64
	for _, l := range t.lists {
		all = append(all, l.ns...)
	}
	sorted := append([]int64{0}, all...)
	sort.Slice(sorted[1:], func(i, j int) bool { return sorted[1+i] < sorted[1+j] })
	var sum int64
	texts := make([]string, len(all))
	for i, ns := range all {
		sum += ns
		texts[i] = strconv.FormatInt(ns, 10)
	}
	fmt.Print("goroutine ", t.name, " goroutines ", len(t.lists), " count ", len(all))
	for _, q := range []struct {
		name    string
		percent int
	}{{"p50", 50}, {"p90", 90}, {"p99", 99}, {"max", 100}} {
		fmt.Print(" ", q.name, " ", sorted[(len(all)*q.percent+99)/100])
	}
	fmt.Print(" sum ", sum)
	if t.extra != "" {
		fmt.Print(" ", t.extra)
	}
	if len(all) > 0 {
		fmt.Print(" list ", strings.Join(texts, ","))
	}
	fmt.Println()
}
