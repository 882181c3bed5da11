#include "fleet/etcd/queue.h"

#include <utility>

namespace issuer::fleet::etcd {

void Queue::put(State state)
{
	if (state.text.size() > largestText) {
		state.text.clear();
	}
	const auto known = _places.find(state.name);
	const auto place = known != _places.end() ? known->second : _next++;
	_places.insert_or_assign(state.name, place);
	_waiting.insert_or_assign(place, std::move(state));
}

void Queue::remove(StateName name)
{
	if (const auto known = _places.find(name); known != _places.end()) {
		_waiting.erase(known->second);
	}
	_places.insert_or_assign(name, _next);
	_waiting.emplace(_next++, std::move(name));
}

void Queue::record(Record record)
{
	if (_record) {
		_waiting.erase(*_record);
	}
	_record = _next;
	_waiting.emplace(_next++, record);
}

const std::vector<Queue::Write>& Queue::take(std::size_t most)
{
	std::size_t text = 0;
	while (!_waiting.empty() && _taken.size() < most && text < enoughText) {
		auto first = _waiting.extract(_waiting.begin());
		_taken.push_back(std::move(first.mapped()));
		if (const auto* state = std::get_if<State>(&_taken.back())) {
			text += state->text.size();
			_places.erase(state->name);
		}
		else if (const auto* name = std::get_if<StateName>(&_taken.back())) {
			_places.erase(*name);
		}
		else {
			_record.reset();
			break;
		}
	}
	return _taken;
}

void Queue::failed()
{
	while (!_taken.empty()) {
		auto write = std::move(_taken.back());
		_taken.pop_back();
		const Place place = _front - 1;
		const auto* state = std::get_if<State>(&write);
		const auto* name = state != nullptr ? &state->name : std::get_if<StateName>(&write);
		if (name == nullptr) {
			if (_record) {
				continue;
			}
			_record = place;
		}
		else if (!_places.emplace(*name, place).second) {
			// A newer write of this name; a state takes the place of the older one, before the record that follows it.
			const auto known = _places.find(*name);
			if (std::holds_alternative<State>(_waiting.at(known->second))) {
				auto newer = _waiting.extract(known->second);
				newer.key() = known->second = place;
				_waiting.insert(std::move(newer));
				_front = place;
			}
			continue;
		}
		_waiting.emplace(place, std::move(write));
		_front = place;
	}
}

void Queue::forgetRecord()
{
	if (_record) {
		_waiting.erase(*_record);
		_record.reset();
	}
}

void Queue::clear()
{
	_waiting.clear();
	_places.clear();
	_record.reset();
	_taken.clear();
}

} // namespace issuer::fleet::etcd
