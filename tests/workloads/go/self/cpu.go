// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only

package self

import "syscall"

// CPUTime is what this process has used so far, in ns.
func CPUTime() int64 {
	var u syscall.Rusage
	Must(syscall.Getrusage(syscall.RUSAGE_SELF, &u), "getrusage")
	return u.Utime.Nano() + u.Stime.Nano()
}
