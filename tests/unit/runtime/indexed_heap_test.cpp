#include "runtime/indexed_heap.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>

namespace issuer::vault::runtime {
namespace {

struct Element
{
	int key = 0;
	std::uint32_t position = 0;
};

std::uint32_t& positionOf(Element& element) noexcept
{
	return element.position;
}

using Heap = IndexedHeap<Element, int, positionOf>;

std::vector<int> drained(Heap& heap)
{
	std::vector<int> keys;
	while (!heap.empty()) {
		Element& top = heap.top();
		EXPECT_EQ(heap.topKey(), top.key);
		keys.push_back(top.key);
		heap.erase(top);
	}
	return keys;
}

TEST(IndexedHeap, IsEmptyAtFirst)
{
	EXPECT_TRUE(Heap().empty());
}

TEST(IndexedHeap, GivesTheLeastFirst)
{
	std::vector<Element> elements{{5}, {1}, {4}, {1}, {3}};
	Heap heap;
	for (Element& element : elements) {
		heap.push(element, element.key);
	}
	EXPECT_EQ(drained(heap), (std::vector<int>{1, 1, 3, 4, 5}));
}

TEST(IndexedHeap, StaysInOrderHoweverElementsComeMoveAndGo)
{
	std::mt19937 random(1);
	const auto upTo = [&](std::size_t limit) { return std::uniform_int_distribution<std::size_t>(0, limit)(random); };
	for (int round = 0; round < 200; ++round) {
		std::vector<Element> elements(1 + upTo(200));
		std::vector<Element*> inside;
		Heap heap;
		for (Element& element : elements) {
			element.key = static_cast<int>(upTo(50));
			heap.push(element, element.key);
			inside.push_back(&element);
		}
		for (std::size_t step = upTo(300); step > 0 && !inside.empty(); --step) {
			const std::size_t chosen = upTo(inside.size() - 1);
			if (upTo(3) == 0) {
				heap.erase(*inside[chosen]);
				inside.erase(inside.begin() + static_cast<std::ptrdiff_t>(chosen));
			}
			else {
				inside[chosen]->key = static_cast<int>(upTo(50));
				heap.update(*inside[chosen], inside[chosen]->key);
			}
		}
		std::vector<int> expected;
		std::transform(inside.begin(), inside.end(), std::back_inserter(expected), [](Element* e) { return e->key; });
		std::sort(expected.begin(), expected.end());
		ASSERT_EQ(drained(heap), expected) << "round " << round;
	}
}

} // namespace
} // namespace issuer::vault::runtime
