// Runs a CUDA kernel on a CPU: each thread of each block is a fiber, and fibers take turns.
//
// A fiber runs until it has to wait for others; who is next is drawn by chance. So a thread that
// forgets to wait finds what the others have not yet written, and a barrier that never opens is
// noticed, for nothing moves any more. Shared memory begins as NaN. Caches are not emulated, nor
// that the threads of a warp go together.

#include "cuda_on_cpu.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <ucontext.h>
#include <vector>

Dim gridDim, blockDim, blockIdx, threadIdx;

constexpr size_t SHARED_BYTES = 1 << 18, STACK_BYTES = 1 << 15;
double2 dynamic_shared[SHARED_BYTES / sizeof(double2)];

namespace {

enum State { READY, AT_BARRIER, ASLEEP, DONE };
enum Outcome { FINISHED, DEADLOCK, ATOMIC_WITHOUT_FENCE };

struct Fiber {
    ucontext_t context;
    State state = READY;
    bool fenced = false;
};

struct Block {
    unsigned x, y;
    std::vector<Fiber> fibers;
    std::vector<char> shared;
    std::unique_ptr<char[]> stacks;

    bool done() const
    {
        return std::all_of(fibers.begin(), fibers.end(),
                           [](const Fiber& f) { return f.state == DONE; });
    }
};

typedef long long Word;
typedef void (*Kernel)(Word, Word, Word, Word, Word, Word, Word, Word, Word, Word, Word, Word, Word,
                       Word, Word, Word);

ucontext_t scheduler;
Fiber* current;
Kernel kernel;
Word arguments[16];
Outcome outcome;
std::mt19937 chance;

void give_way(State state)
{
    current->state = state;
    swapcontext(&current->context, &scheduler);
}

void run_thread()
{
    const Word* a = arguments;
    kernel(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11], a[12], a[13],
           a[14], a[15]);
    give_way(DONE);
}

// Whether all threads had come to it, and some wait there.
bool open_barrier(Block& block)
{
    bool waited = false;
    for (const Fiber& fiber : block.fibers) {
        if (fiber.state != AT_BARRIER && fiber.state != DONE) return false;
        waited |= fiber.state == AT_BARRIER;
    }
    for (Fiber& fiber : block.fibers)
        if (fiber.state == AT_BARRIER) {
            fiber.state = READY;
            fiber.fenced = false;
        }
    return waited;
}

// The block's threads in turns, until none can go on by itself or chance sends it away. Whether
// anything moved.
bool advance(Block& block, size_t shared_bytes)
{
    bool moved = false, stays = true;
    blockIdx = {block.x, block.y};
    memcpy(dynamic_shared, block.shared.data(), shared_bytes);
    for (Fiber& fiber : block.fibers)
        if (fiber.state == ASLEEP) fiber.state = READY;
    std::vector<size_t> ready;
    while (stays) {
        ready.clear();
        for (size_t k = 0; k < block.fibers.size(); ++k)
            if (block.fibers[k].state == READY) ready.push_back(k);
        if (ready.empty()) stays = open_barrier(block);
        std::shuffle(ready.begin(), ready.end(), chance);
        for (size_t k : ready) {
            current = &block.fibers[k];
            threadIdx = {unsigned(k), 0};
            swapcontext(&scheduler, &current->context);
            moved |= current->state != ASLEEP;
            if (chance() % 32 == 0) {
                stays = false;
                moved = true;
                break;
            }
        }
    }
    memcpy(block.shared.data(), dynamic_shared, shared_bytes);
    return moved;
}

}  // namespace

extern "C" {

void __syncthreads() { give_way(AT_BARRIER); }
void fall_asleep(unsigned) { give_way(ASLEEP); }
void __threadfence() { current->fenced = true; }

unsigned atomicAdd(unsigned* address, unsigned value)
{
    // What is counted up tells others that something was written: it must be written by then.
    if (!current->fenced) outcome = ATOMIC_WITHOUT_FENCE;
    const unsigned before = *address;
    *address += value;
    give_way(READY);
    return before;
}

// At most `resident` blocks are under way at a time. Arguments are pointers and long longs.
int launch(void* function, unsigned across, unsigned down, unsigned threads, size_t shared_bytes,
           const Word* words, int count, unsigned resident, unsigned seed)
{
    kernel = (Kernel)function;
    memset(arguments, 0, sizeof arguments);
    memcpy(arguments, words, count * sizeof(Word));
    gridDim = {across, down};
    blockDim = {threads, 1};
    chance.seed(seed);
    outcome = FINISHED;
    std::vector<Block> blocks;
    for (unsigned next = 0; next < across * down || !blocks.empty();) {
        for (; blocks.size() < resident && next < across * down; ++next) {
            Block block{next % across, next / across, std::vector<Fiber>(threads),
                        std::vector<char>(shared_bytes, '\xff'),
                        std::unique_ptr<char[]>(new char[threads * STACK_BYTES])};
            for (unsigned k = 0; k < threads; ++k) {
                ucontext_t& context = block.fibers[k].context;
                getcontext(&context);
                context.uc_stack.ss_sp = block.stacks.get() + k * STACK_BYTES;
                context.uc_stack.ss_size = STACK_BYTES;
                makecontext(&context, run_thread, 0);
            }
            blocks.push_back(std::move(block));
        }
        std::shuffle(blocks.begin(), blocks.end(), chance);
        bool moved = false;
        for (Block& block : blocks) moved |= advance(block, shared_bytes);
        if (!moved) return DEADLOCK;
        blocks.erase(std::remove_if(blocks.begin(), blocks.end(),
                                    [](const Block& block) { return block.done(); }),
                     blocks.end());
    }
    return outcome;
}

}
