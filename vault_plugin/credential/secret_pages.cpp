#include "credential/secret_pages.h"

#include "base/wiped.h"

#include <array>
#include <bit>
#include <cstdint>
#include <mutex>
#include <new>

#include <sys/mman.h>

namespace issuer::vault::credential {
namespace {

/// Sixteen pages of 4 KiB, aligned to its own size, so that a slot's block is found by masking the slot's address.
constexpr std::size_t blockSize = std::size_t{64} * 1024;

/// The head has a page of its own: a forked child reads zeros in the slots, but must still be able to read the
/// bookkeeping.
constexpr std::size_t headSize = std::size_t{4} * 1024;

constexpr std::size_t smallestSlot = 64;
constexpr std::size_t slotSizes = 12; // 64 bytes to 128 KiB, doubling: the longest secret and its length
constexpr std::size_t mostSlots = (blockSize - headSize) / smallestSlot;

struct Block
{
	Block* next;
	Block* previous;
	std::size_t mapped; ///< bytes of the whole mapping
	std::size_t slotSize;
	std::size_t slots;
	std::size_t used;
	std::array<std::uint64_t, mostSlots / 64 + 1> taken; ///< one bit a slot
	std::array<std::uint32_t, mostSlots> holders;        ///< of a slot that is taken

	char* slot(std::size_t index) { return reinterpret_cast<char*>(this) + headSize + index * slotSize; }
	std::size_t indexOf(const char* place) { return static_cast<std::size_t>(place - slot(0)) / slotSize; }
};
static_assert(sizeof(Block) <= headSize);
static_assert(smallestSlot << (slotSizes - 2) == longestSecret);

/// The blocks with a free slot, by slot size. Never destroyed, and has nothing to destroy: all memory is given back
/// with the last secret.
struct Pages
{
	std::mutex mutex;
	std::array<Block*, slotSizes> withRoom{};
};
constinit Pages pages;

std::size_t sizeClass(std::size_t size)
{
	const auto slots = (size + smallestSlot - 1) / smallestSlot;
	return static_cast<std::size_t>(std::bit_width(slots - 1));
}

Block*& listOf(const Block& block)
{
	return pages.withRoom.at(sizeClass(block.slotSize));
}

void link(Block& block)
{
	auto*& first = listOf(block);
	block.previous = nullptr;
	block.next = first;
	if (first != nullptr) {
		first->previous = &block;
	}
	first = &block;
}

void unlink(Block& block)
{
	(block.previous != nullptr ? block.previous->next : listOf(block)) = block.next;
	if (block.next != nullptr) {
		block.next->previous = block.previous;
	}
}

Block& blockOf(char* slot)
{
	const auto address = reinterpret_cast<std::uintptr_t>(slot);
	return *reinterpret_cast<Block*>(address - address % blockSize);
}

char* mapAligned(std::size_t size)
{
	void* const wide = ::mmap(nullptr, size + blockSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (wide == MAP_FAILED) {
		throw std::bad_alloc();
	}
	auto* const begin = static_cast<char*>(wide);
	const auto misaligned = reinterpret_cast<std::uintptr_t>(begin) % blockSize;
	const auto before = misaligned == 0 ? 0 : blockSize - misaligned;
	const auto after = blockSize - before;
	if (before != 0) {
		::munmap(begin, before);
	}
	::munmap(begin + before + size, after);
	return begin + before;
}

Block& newBlock(std::size_t slotSize)
{
	const auto mapped = slotSize + headSize <= blockSize ? blockSize : slotSize + headSize;
	char* const memory = mapAligned(mapped);
	// Best effort: an old kernel refuses the advice, and the secret is then as safe as the rest of the memory.
	::madvise(memory + headSize, mapped - headSize, MADV_DONTDUMP);
	::madvise(memory + headSize, mapped - headSize, MADV_WIPEONFORK);
	auto* const block = new (memory) Block{};
	block->mapped = mapped;
	block->slotSize = slotSize;
	block->slots = (mapped - headSize) / slotSize;
	link(*block);
	return *block;
}

} // namespace

char* takeSlot(std::size_t size)
{
	const std::scoped_lock lock(pages.mutex);
	const auto index = sizeClass(size);
	auto* const withRoom = pages.withRoom.at(index);
	auto& block = withRoom != nullptr ? *withRoom : newBlock(smallestSlot << index);

	std::size_t word = 0;
	while (~block.taken.at(word) == 0) {
		++word;
	}
	const auto bit = static_cast<std::size_t>(std::countr_one(block.taken.at(word)));
	block.taken.at(word) |= std::uint64_t{1} << bit;
	if (++block.used == block.slots) {
		unlink(block);
	}
	block.holders.at(word * 64 + bit) = 1;
	return block.slot(word * 64 + bit);
}

void shareSlot(char* slot) noexcept
{
	auto& block = blockOf(slot);
	const std::scoped_lock lock(pages.mutex);
	++block.holders.at(block.indexOf(slot));
}

void returnSlot(char* slot) noexcept
{
	auto& block = blockOf(slot);
	const std::scoped_lock lock(pages.mutex);
	const auto index = block.indexOf(slot);
	if (--block.holders.at(index) > 0) {
		return;
	}
	wipe(slot, block.slotSize);
	block.taken.at(index / 64) &= ~(std::uint64_t{1} << index % 64);
	if (block.used == block.slots) {
		link(block);
	}
	if (--block.used == 0) {
		unlink(block);
		::munmap(&block, block.mapped);
	}
}

} // namespace issuer::vault::credential
