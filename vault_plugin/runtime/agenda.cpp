#include "runtime/agenda.h"

namespace issuer::vault::runtime {

using Place = JobNotes::Place;

void Agenda::arm(Job& job, const void* lane, Instant at, Instant urgency)
{
	JobNotes& notes = job.notes();
	if (notes.lane != nullptr && !notes.running && Lanes::idOf(*notes.lane) != lane) {
		disarm(job);
	}
	if (notes.lane == nullptr) {
		join(job, lane);
	}
	notes.at = at;
	notes.urgency = urgency;
	if (notes.place == Place::timers) {
		_timers.update(job, at);
		return;
	}
	withdraw(job);
	_timers.push(job, at);
	notes.place = Place::timers;
}

void Agenda::join(Job& job, const void* lane)
{
	_timers.makeRoom(_members + 1);
	job.notes().lane = &_lanes.join(lane);
	++_members;
}

void Agenda::disarm(Job& job) noexcept
{
	withdraw(job);
	leaveIfDone(job);
}

void Agenda::leaveIfDone(Job& job) noexcept
{
	JobNotes& notes = job.notes();
	if (notes.lane != nullptr && notes.place == Place::nowhere && !notes.running) {
		_lanes.leave(*notes.lane);
		notes.lane = nullptr;
		--_members;
	}
}

void Agenda::withdraw(Job& job) noexcept
{
	JobNotes& notes = job.notes();
	switch (notes.place) {
	case Place::timers:
		_timers.erase(job);
		break;
	case Place::ready:
		_lanes.erase(job);
		break;
	case Place::again:
	case Place::nowhere:
		break;
	}
	notes.place = Place::nowhere;
}

void Agenda::advance(Instant now) noexcept
{
	while (!_timers.empty() && _timers.topKey() <= now) {
		Job& job = _timers.top();
		_timers.erase(job);
		becomeReady(job);
	}
}

void Agenda::becomeReady(Job& job) noexcept
{
	JobNotes& notes = job.notes();
	if (notes.running) {
		notes.place = Place::again;
		return;
	}
	_lanes.push(job, {notes.urgency, notes.at});
	notes.place = Place::ready;
}

std::optional<Instant> Agenda::nextDue() const noexcept
{
	if (_timers.empty()) {
		return std::nullopt;
	}
	return _timers.topKey();
}

Job* Agenda::take() noexcept
{
	Lane* lane = _lanes.next();
	if (lane == nullptr) {
		return nullptr;
	}
	Job& job = _lanes.launch(*lane);
	JobNotes& notes = job.notes();
	notes.place = Place::nowhere;
	notes.running = true;
	return &job;
}

void Agenda::finished(Job& job) noexcept
{
	JobNotes& notes = job.notes();
	notes.running = false;
	_lanes.landed(*notes.lane);
	if (notes.place == Place::again) {
		becomeReady(job);
	}
	leaveIfDone(job);
}

} // namespace issuer::vault::runtime
