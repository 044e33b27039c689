/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * mixer [SECONDS [CPU [grid|rearm|skip]]]
 *
 * The demo: a server that mixes audio in frames of 10 ms. Thread `mixer` wakes for each frame, takes what
 * thread `network` brought in under a mutex, and mixes it. Both pinned to CPU, if given. Measures its own
 * lateness, how far its frames drifted from their ideal grid and how many points of that had none, so that
 * what wakelag says of it can be checked.
 * The next frame is asked for on an absolute grid (grid, the default); a frame after the last wakeup, so that
 * lateness adds up (rearm); on the grid, but each tenth frame takes so long that it skips some (skip).
 * Packets come a quarter of a frame before and after the frames: left to chance, how often the two threads meet would
 * differ from run to run, for all of a run.
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
static uint64_t start_ns, end_ns;
static int64_t drift_ns;
static uint64_t missed;

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
	uint64_t next = start_ns + FRAME_NS / 4;
	for (unsigned int serial = 0; next < end_ns; serial++, next += PACKET_NS) {
		sleep_until(next);
		receive_packet(serial);
	}
	return arg;
}

static uint64_t next_on_grid(uint64_t asked, uint64_t frame)
{
	(void)frame;
	return asked + FRAME_NS;
}

static uint64_t next_after_now(uint64_t asked, uint64_t frame)
{
	(void)asked;
	(void)frame;
	return now_ns() + FRAME_NS;
}

static uint64_t next_not_missed(uint64_t asked, uint64_t frame)
{
	if (frame % 10 == 9)
		busy_until(asked + FRAME_NS * 5 / 2);
	return asked + (now_ns() - asked + FRAME_NS) / FRAME_NS * FRAME_NS;
}

static const struct mode {
	const char *name;
	uint64_t (*next)(uint64_t asked, uint64_t frame);
} modes[] = {{ "grid", next_on_grid }, { "rearm", next_after_now }, { "skip", next_not_missed }};
static uint64_t (*next_frame)(uint64_t asked, uint64_t frame);

static void set_mode(const char *name)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(modes[i].name, name))
			next_frame = modes[i].next;
	if (!next_frame) {
		errno = EINVAL;
		die(name);
	}
}

static void *run_mixer(void *arg)
{
	struct truth *truth = arg;

	pthread_setname_np(pthread_self(), "mixer");
	pin_to(cpu);
	truth_init(truth, (end_ns - now_ns()) / FRAME_NS + 1);
	uint64_t first = start_ns + FRAME_NS, next = first, asked = first;
	for (uint64_t frame = 0; next < end_ns; frame++) {
		asked = next;
		sleep_until(asked);
		truth_add(truth, now_ns() - asked);
		next = next_frame(asked, frame);
		missed += next_frame != next_after_now && next < end_ns ? (next - asked) / FRAME_NS - 1 : 0;
		mix_frame();
	}
	drift_ns = (int64_t)(asked - first - (truth->cnt - 1 + missed) * FRAME_NS);
	return NULL;
}

int main(int argc, char **argv)
{
	struct truth truth;

	start_ns = now_ns();
	end_ns = start_ns + arg_number(argc, argv, 1, 12) * NSEC_PER_SEC;
	cpu = arg_number(argc, argv, 2, -1);
	set_mode(argc > 3 ? argv[3] : "grid");
	printf("pid %d\n", getpid());
	fflush(stdout);
	pthread_t network = start_thread(run_network, NULL), mixer = start_thread(run_mixer, &truth);
	join_thread(network);
	join_thread(mixer);
	truth_print(&truth, "mixer", 0);
	printf(" period %llu missed %" PRIu64 " drift %" PRId64 "\n", FRAME_NS, missed, drift_ns);
	truth_done(&truth);
	return 0;
}
