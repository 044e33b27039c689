// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

// bench_http
//
// An HTTP server with a small handler. Prints `port N`, counts from a line on stdin to its end, prints
// `ops N cpu_ns N` of it and ends.
package main

import (
	"fmt"
	"net"
	"net/http"
	"sync/atomic"

	"./self"
)

var served int64

func hello(w http.ResponseWriter, r *http.Request) {
	atomic.AddInt64(&served, 1)
	fmt.Fprintf(w, "hello %s\n", r.URL.Path)
}

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	self.Must(err, "listen")
	go http.Serve(l, http.HandlerFunc(hello))
	fmt.Println("port", l.Addr().(*net.TCPAddr).Port)
	self.Ready()
	ops, cpu := atomic.LoadInt64(&served), self.CPUTime()
	self.Done()
	fmt.Println("ops", atomic.LoadInt64(&served)-ops, "cpu_ns", self.CPUTime()-cpu)
}
