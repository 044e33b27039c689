// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Time that interrupts take from each CPU: device interrupts, softirqs, and on x86 the vectors that
 * have no irq_handler tracepoint (timer, IPIs).
 */
#include "common.bpf.h"

char LICENSE[] SEC("license") = "GPL";

static __always_inline int irq_enter(void)
{
	struct cpu_state *cs = cpu_state(bpf_get_smp_processor_id());

	if (cs && cs->irq_depth++ == 0)
		cs->irq_since = bpf_ktime_get_ns();
	return 0;
}

static __always_inline int irq_exit(void)
{
	struct cpu_state *cs = cpu_state(bpf_get_smp_processor_id());
	__u64 took;

	if (!cs || !cs->irq_depth || --cs->irq_depth)
		return 0;
	took = bpf_ktime_get_ns() - cs->irq_since;
	cs->load.irq += took;
	if (cs->softirq_since)
		cs->softirq_since += took;	/* it interrupted a softirq */
	return 0;
}

#define IRQ_PAIR(name, entry, exit) \
	SEC("?tp_btf/" #exit) int on_##exit(void *ctx) { return irq_exit(); } \
	SEC("?tp_btf/" #entry) int on_##entry(void *ctx) { return irq_enter(); }

IRQ_PAIR(handler, irq_handler_entry, irq_handler_exit)
IRQ_PAIR(timer, local_timer_entry, local_timer_exit)
IRQ_PAIR(reschedule, reschedule_entry, reschedule_exit)
IRQ_PAIR(call, call_function_entry, call_function_exit)
IRQ_PAIR(call_single, call_function_single_entry, call_function_single_exit)
IRQ_PAIR(work, irq_work_entry, irq_work_exit)

SEC("?tp_btf/softirq_exit")
int on_softirq_exit(void *ctx)
{
	struct cpu_state *cs = cpu_state(bpf_get_smp_processor_id());

	if (cs && cs->softirq_since) {
		cs->load.softirq += bpf_ktime_get_ns() - cs->softirq_since;
		cs->softirq_since = 0;
	}
	return 0;
}

SEC("?tp_btf/softirq_entry")
int on_softirq_entry(void *ctx)
{
	struct cpu_state *cs = cpu_state(bpf_get_smp_processor_id());

	if (cs)
		cs->softirq_since = bpf_ktime_get_ns();
	return 0;
}
