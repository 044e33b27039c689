/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Names are those of symbols and of DWARF, demangled and without parameters. Checked with: glibc 2.36 with and without
 * its debug symbols, musl 1.2.3, libstdc++ 12, Rust 1.63 to 1.95. By source: absl, folly, glib, HotSpot 17, CPython
 * 3.11 and 3.13, MariaDB 10.11, parking_lot 0.12, Go 1.17 to 1.26.
 */
#include "functions.h"

#include <stddef.h>
#include <string.h>

#include "../base/numbers.h"
#include "names.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* The first row that fits. */
static const struct wait_function waits[] = {
	{"pthread_mutex_", .klass = CLASS_MUTEX, .word = WORD_MUTEX},	/* also pthread_mutex_cond_lock */
	{"pthread_cond_wait", .klass = CLASS_COND, .word = WORD_COND},
	{"pthread_cond_timedwait", .klass = CLASS_COND, .word = WORD_COND},
	{"pthread_cond_clockwait", .klass = CLASS_COND, .word = WORD_COND},
	{"pthread_rwlock_", .klass = CLASS_RWLOCK, .word = WORD_RWLOCK},
	{"pthread_join", .klass = CLASS_JOIN},
	{"pthread_timedjoin", .klass = CLASS_JOIN},
	{"pthread_clockjoin", .klass = CLASS_JOIN},
	{"pthread_barrier_wait", .klass = CLASS_BARRIER},
	{"pthread_once", .klass = CLASS_OTHER},
	{"sem_wait", .klass = CLASS_SEM},
	{"sem_timedwait", .klass = CLASS_SEM},
	{"sem_clockwait", .klass = CLASS_SEM},
	{"new_sem_wait", .klass = CLASS_SEM},
	{"lll_lock_wait_private", .klass = CLASS_MUTEX, .word = WORD_LOW},
	{"lll_lock_wait", .klass = CLASS_MUTEX, .word = WORD_MUTEX},
	{"lll_clocklock_wait", .klass = CLASS_MUTEX, .word = WORD_MUTEX},
	{"lll_timedlock_wait", .klass = CLASS_MUTEX, .word = WORD_MUTEX},
	{"futex_lock_pi", .klass = CLASS_MUTEX, .word = WORD_MUTEX},
	{"futex_clocklock", .klass = CLASS_MUTEX, .word = WORD_MUTEX},
	/* musl's own locks */
	{"__lock", .klass = CLASS_MUTEX, .word = WORD_LOW, .is_whole = true},
	{"__tl_lock", .klass = CLASS_MUTEX, .is_whole = true},
	{"__lockfile", .klass = CLASS_MUTEX, .is_whole = true},
	/* C++; what is made of the pthread functions is known by them */
	{"std::__atomic_futex_unsigned_base::", .klass = CLASS_COND},	/* std::future */
	{"std::__atomic_semaphore", .klass = CLASS_SEM},
	{"std::counting_semaphore", .klass = CLASS_SEM},
	{"std::__1::counting_semaphore", .klass = CLASS_SEM},
	{"std::__tree_barrier", .klass = CLASS_BARRIER},
	{"std::barrier", .klass = CLASS_BARRIER},
	{"std::__1::barrier", .klass = CLASS_BARRIER},
	{"std::latch::", .klass = CLASS_BARRIER},
	{"std::__1::latch::", .klass = CLASS_BARRIER},
	{"absl::", "::Mutex::LockWhen", CLASS_COND},
	{"absl::", "::Mutex::Await", CLASS_COND},
	{"absl::", "::CondVar::Wait", CLASS_COND},
	{"absl::", "::Mutex::Lock", CLASS_MUTEX},
	{"absl::", "::Mutex::ReaderLock", CLASS_MUTEX},
	{"absl::", "::SpinLock::", CLASS_MUTEX},
	{"AbslInternalSpinLockDelay", .klass = CLASS_MUTEX},
	{"SpinLock::SlowLock", .klass = CLASS_MUTEX},			/* tcmalloc */
	{"folly::MicroLock", .klass = CLASS_MUTEX},
	{"folly::SharedMutexImpl", .klass = CLASS_RWLOCK},
	{"folly::LifoSem", .klass = CLASS_SEM},
	{"srw_mutex_impl<", .klass = CLASS_MUTEX},			/* InnoDB */
	{"ssux_lock_impl<", .klass = CLASS_RWLOCK},
	{"srw_lock_impl<", .klass = CLASS_RWLOCK},
	/* C */
	{"g_mutex_lock", .klass = CLASS_MUTEX},
	{"g_cond_wait", .klass = CLASS_COND},
	{"g_bit_lock", .klass = CLASS_MUTEX},
	/* Rust */
	{"std::sys", "::lock_contended", CLASS_MUTEX},
	{"std::sys", "::RwLock", CLASS_RWLOCK},
	{"std::sys", "::Condvar", CLASS_COND},
	{"std::sys", "::Parker", CLASS_OTHER},
	{"std::sys", "::Once", CLASS_OTHER},
	{"std::thread::park", .klass = CLASS_OTHER},
	{"parking_lot::raw_mutex::", .klass = CLASS_MUTEX},
	{"parking_lot::raw_rwlock::", .klass = CLASS_RWLOCK},
	{"parking_lot::condvar::", .klass = CLASS_COND},
	/* Go */
	{"runtime.lock2", .klass = CLASS_GO_RUNTIME},
	{"runtime.notesleep", .klass = CLASS_GO_IDLE},
	{"runtime.notetsleep", .klass = CLASS_GO_IDLE},
	/* Made of condition variables: HotSpot's monitors, CPython's global lock; of semaphores: its PyMutex */
	{"ObjectMonitor::wait", .klass = CLASS_COND, .is_built = true},
	{"ObjectMonitor::", "nter", CLASS_MUTEX, .is_built = true},	/* enter, EnterI, reenter, ReenterI */
	{"Parker::park", .klass = CLASS_OTHER, .is_built = true},
	{"Unsafe_Park", .klass = CLASS_OTHER, .is_built = true},
	{"take_gil", .klass = CLASS_MUTEX, .is_built = true},
	{"PyMutex_Lock", .klass = CLASS_MUTEX, .is_built = true},
};

static bool begins_with_any(const char *s, const char *const *prefixes, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		if (begins_with(s, prefixes[i]))
			return true;
	}
	return false;
}

static bool is_any(const char *s, const char *const *texts, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		if (!strcmp(s, texts[i]))
			return true;
	}
	return false;
}

/*
 * "__GI___lll_lock_wait", "___pthread_mutex_lock": names that glibc gives its own for calls from inside.
 * "<std::sys::sync::mutex::futex::Mutex>::lock_contended": Rust's since its mangling of 2019.
 */
static const char *plain_name(const char *func)
{
	func += strspn(func, "_<");
	if (begins_with(func, "GI_"))
		func += 3 + strspn(func + 3, "_");
	return func;
}

const struct wait_function *wait_function_of(const char *func)
{
	const char *plain = plain_name(func);

	for (size_t i = 0; i < COUNT_OF(waits); i++) {
		const struct wait_function *w = &waits[i];

		if (w->is_whole ? strcmp(func, w->begin) : !begins_with(plain, w->begin))
			continue;
		if (!w->part || strstr(plain, w->part))
			return w;
	}
	return NULL;
}

bool is_glibc(const char *module)
{
	static const char *const files[] = {"libc.so.6", "libc-2.", "libpthread"};

	return begins_with_any(module, files, COUNT_OF(files));
}

bool is_go_library(const char *func)
{
	static const char *const packages[] = {"runtime.", "runtime/", "sync.", "sync/", "internal/", "time."};

	return begins_with_any(func, packages, COUNT_OF(packages));
}

bool is_thread_start(const char *func)
{
	static const char *const starts[] = {"start_thread", "clone", "clone3", "__clone", "__clone3", "start", "_start",
					     "__libc_start_main", "__libc_start_call_main", "runtime.goexit"};

	return is_any(func, starts, COUNT_OF(starts));
}

/* By the file, and in programs that have their libraries inside by name. */
bool is_library(const char *func, const char *module)
{
	static const char *const modules[] = {"libc.so", "libc-2.", "libpthread", "ld-linux", "ld-musl", "libc.musl", "libstdc++",
					      "libc++", "libgcc_s", "libjvm", "libjemalloc", "libtcmalloc", "libmimalloc",
					      "[vdso]"};
	static const char *const begins[] = {
		"std::", "__gnu_cxx::", "__gthread_", "__glibcxx_", "boost::mutex", "boost::unique_lock", "boost::lock_guard",
		"core::ops::", "core::cell::", "core::panic", "core::option::", "core::result::", "core::iter::", "alloc::boxed",
		"alloc::sync::", "alloc::rc::", "parking_lot", "lock_api::",
		"__libc_", "_IO_", "__lll_", "__futex_", "lll_", "futex_", "__timedwait",
		"__syscall_",
	};
	static const char *const wholes[] = {
		"syscall", "do_futex_wait", "malloc", "calloc", "realloc", "free", "_int_malloc", "_int_free", "flockfile",
		"puts", "fputs", "fputc", "putc", "printf", "fprintf", "vfprintf", "fwrite", "fread", "fflush", "getc",
		"__wait", "sccp", "mtx_lock", "mtx_timedlock", "cnd_wait", "cnd_timedwait", "thrd_join", "call_once",
	};

	if (begins_with_any(module, modules, COUNT_OF(modules)))
		return true;
	return is_go_library(func) || is_thread_start(func) ||
	       begins_with_any(func + strspn(func, "<"), begins, COUNT_OF(begins)) ||
	       is_any(func, wholes, COUNT_OF(wholes)) || wait_function_of(func);
}

bool is_library_file(const char *file, size_t size)
{
	static const char *const dirs[] = {"/usr/include/c++/", "/usr/lib/gcc/", "/usr/lib/llvm", "/rustc/"};

	for (size_t i = 0; i < COUNT_OF(dirs); i++) {
		if (strlen(dirs[i]) < size && !strncmp(file, dirs[i], strlen(dirs[i])))
			return true;
	}
	return false;
}

bool is_kernel_library(const char *func)
{
	static const char *const begins[] = {
		"bpf_", "__bpf_", "trace_", "__traceiter_", "__probestub_", "mutex_", "__mutex_", "ww_mutex_", "__ww_mutex_",
		"rwsem_", "down_", "__down_", "rt_mutex_", "__rt_mutex_", "rt_spin_", "rtlock_", "_raw_", "__raw_",
		"queued_", "native_queued_", "__pv_queued_", "do_raw_", "percpu_", "__percpu_", "schedule", "__schedule",
	};
	static const char *const wholes[] = {"down", "lock_page", "__lock_page", "osq_lock"};

	return begins_with_any(func, begins, COUNT_OF(begins)) || is_any(func, wholes, COUNT_OF(wholes));
}
