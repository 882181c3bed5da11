#include "runtime/agenda.h"

#include <algorithm>

namespace issuer::vault::runtime {

using State = JobNotes::State;

namespace {

/// Returns since when the due job waits for its place without an answer.
Instant waitingSince(const JobNotes& notes) noexcept
{
	return std::max({notes.at, notes.queue->lastProgress(), Instant()}); // no difference overflows
}

/// Returns when the due job becomes impatient, if its place does not answer until then; Instant::max(): never.
Instant patienceEnd(const JobNotes& notes) noexcept
{
	if (notes.urgency == unknownUrgency || notes.urgency == Instant::max()) {
		return Instant::max();
	}
	const Instant since = waitingSince(notes);
	const Duration eighth = notes.urgency.time_since_epoch() / 8 - since.time_since_epoch() / 8; // cannot overflow
	return since + std::max(eighth, Duration::zero());
}

} // namespace

void Agenda::arm(Job& job, const void* place, Instant at, Instant urgency)
{
	JobNotes& notes = job.notes();
	if (notes.queue == nullptr) {
		_timers.makeRoom(_members + 1);
		notes.queue = &_limits.join(place, job.atMost());
		++_members;
	}
	else if (!notes.running && notes.queue->place() != place) {
		PlaceQueue& other = _limits.join(place, job.atMost()); // before anything is changed: it may throw
		withdraw(job);
		_limits.leave(*notes.queue);
		notes.queue = &other;
	}
	if (notes.state != State::armed) {
		withdraw(job);
	}
	notes.at = at;
	notes.urgency = urgency;
	notes.state = State::armed;
	setTimer(job, at);
}

void Agenda::disarm(Job& job) noexcept
{
	withdraw(job);
	leaveIfDone(job);
}

void Agenda::leaveIfDone(Job& job) noexcept
{
	JobNotes& notes = job.notes();
	if (notes.queue != nullptr && notes.state == State::idle && !notes.running) {
		_limits.leave(*notes.queue);
		notes.queue = nullptr;
		--_members;
	}
}

void Agenda::withdraw(Job& job) noexcept
{
	JobNotes& notes = job.notes();
	clearTimer(job);
	if (notes.state == State::ready) {
		_limits.erase(job);
	}
	notes.state = State::idle;
}

void Agenda::setTimer(Job& job, Instant at) noexcept
{
	if (std::exchange(job.notes().timed, true)) {
		_timers.update(job, at);
	}
	else {
		_timers.push(job, at); // arm() has made room
	}
}

void Agenda::clearTimer(Job& job) noexcept
{
	if (std::exchange(job.notes().timed, false)) {
		_timers.erase(job);
	}
}

void Agenda::advance(Instant now) noexcept
{
	_now = std::max(_now, now);
	while (!_timers.empty() && _timers.topKey() <= now) {
		Job& job = _timers.top();
		if (job.notes().state == State::armed) {
			becomeReady(job);
		}
		else {
			const JobNotes& notes = job.notes();
			_limits.setImpatient(job, patienceEnd(notes) <= _now);
			awaitTurn(job);
		}
	}
}

void Agenda::becomeReady(Job& job) noexcept
{
	JobNotes& notes = job.notes();
	if (notes.running) {
		clearTimer(job);
		notes.state = State::again;
		return;
	}
	_limits.push(job, patienceEnd(notes) <= _now);
	notes.state = State::ready;
	awaitTurn(job);
}

/// Lets the due job exceed its place's limit if its patience has ended, and sets its timer for the next look.
void Agenda::awaitTurn(Job& job) noexcept
{
	const JobNotes& notes = job.notes();
	if (notes.urgency <= _now && notes.urgency != unknownUrgency) {
		clearTimer(job); // it is impatient, whatever its place answers, and needs no slot
		return;
	}
	const Instant since = waitingSince(notes);
	const auto looks = (_now - since) / lookEvery;
	_limits.stalled(*notes.queue, looks);
	const Instant end = patienceEnd(notes);
	Instant next = since + (looks + 1) * lookEvery;
	if (end > _now) {
		next = std::min(next, end);
	}
	if (notes.urgency > _now) {
		next = std::min(next, notes.urgency); // PlaceLimits goes by the time, but only when it is asked
	}
	setTimer(job, next);
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
	Job* const job = _limits.take(_now);
	if (job != nullptr) {
		clearTimer(*job);
		job->notes().state = State::idle;
		job->notes().running = true;
	}
	return job;
}

void Agenda::finished(Job& job, bool progress) noexcept
{
	JobNotes& notes = job.notes();
	notes.running = false;
	_limits.landed(job, progress, _now);
	if (notes.state == State::again) {
		becomeReady(job);
	}
	leaveIfDone(job);
}

} // namespace issuer::vault::runtime
