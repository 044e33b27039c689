// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// As symbol_target.c, in C++: methods, templates, a lambda, a namespace without a name.
#include <cstdio>
#include <functional>
#include <mutex>

namespace game {

class Queue {
public:
	std::mutex lock;

	template <typename T> __attribute__((noinline)) void push(T value)
	{
		std::lock_guard<std::mutex> guard(lock);
		last += static_cast<int>(value);
	}

private:
	volatile int last = 0;
};

static Queue shared_queue;
static volatile int calls;

namespace {

__attribute__((noinline)) void feed(Queue &queue)
{
	queue.push<long>(5);
	calls = calls + 1;
}

} // namespace

} // namespace game

int main()
{
	std::function<void(game::Queue &)> fn = [](game::Queue &queue) {
		game::feed(queue);
		game::calls = game::calls + 1;
	};

	game::shared_queue.lock.lock();
	std::printf("ready %p\n", static_cast<void *>(&game::shared_queue.lock));
	std::fflush(stdout);
	fn(game::shared_queue);
	return 0;
}
