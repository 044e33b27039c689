/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * mixer [SECONDS [CPU]]
 *
 * The demo: a server that mixes audio in frames of 10 ms. Thread `mixer` wakes on an absolute grid,
 * takes what thread `network` brought in under a mutex, and mixes it. Both pinned to CPU, if given.
 * Measures its own lateness, so that what wakelag says of it can be checked.
 */
#include <math.h>

#include "self.h"

#define FRAME_NS (10 * NSEC_PER_MSEC)
#define PACKET_NS (5 * NSEC_PER_MSEC)
#define SAMPLES 480
#define VOICES 32

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static float voices[VOICES][SAMPLES];
static float mixed[SAMPLES];
static int cpu;
static uint64_t end_ns;

static void receive_packet(unsigned int serial)
{
	pthread_mutex_lock(&mutex);
	for (int v = 0; v < VOICES; v++)
		for (int i = 0; i < SAMPLES; i++)
			voices[v][i] = sinf((serial + i) * 0.01f * (v + 1));
	pthread_mutex_unlock(&mutex);
}

static void mix_frame(void)
{
	pthread_mutex_lock(&mutex);
	for (int i = 0; i < SAMPLES; i++) {
		mixed[i] = 0;
		for (int v = 0; v < VOICES; v++)
			mixed[i] += voices[v][i];
	}
	pthread_mutex_unlock(&mutex);
	for (int i = 0; i < SAMPLES; i++)
		mixed[i] = tanhf(mixed[i]);
}

static void *run_network(void *arg)
{
	pthread_setname_np(pthread_self(), "network");
	pin_to(cpu);
	uint64_t next = now_ns();
	for (unsigned int serial = 0; next < end_ns; serial++, next += PACKET_NS) {
		sleep_until(next);
		receive_packet(serial);
	}
	return arg;
}

static void *run_mixer(void *arg)
{
	struct truth *truth = arg;

	pthread_setname_np(pthread_self(), "mixer");
	pin_to(cpu);
	truth_init(truth, (end_ns - now_ns()) / FRAME_NS + 1);
	for (uint64_t next = now_ns(); next < end_ns; next += FRAME_NS) {
		sleep_until(next);
		truth_add(truth, now_ns() - next);
		mix_frame();
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct truth truth;

	end_ns = now_ns() + arg_number(argc, argv, 1, 12) * NSEC_PER_SEC;
	cpu = arg_number(argc, argv, 2, -1);
	printf("pid %d\n", getpid());
	fflush(stdout);
	pthread_t network = start_thread(run_network, NULL), mixer = start_thread(run_mixer, &truth);
	join_thread(network);
	join_thread(mixer);
	truth_print(&truth, "mixer", 0);
	printf("\n");
	truth_done(&truth);
	return 0;
}
