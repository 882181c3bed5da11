#include "credential/errand.h"

#include <mutex>
#include <utility>

namespace issuer::vault::credential {

struct Errand::State
{
	std::mutex mutex;
	NewsListener* listener = nullptr; ///< null: none is told
	bool underWay = false;
	std::optional<std::string> ended;
};

Errand::Errand() : _state(std::make_shared<State>()) {}

Errand::~Errand()
{
	close();
}

bool Errand::begin(Reader& reader, Work work, NewsListener& listener)
{
	{
		const std::lock_guard lock(_state->mutex);
		if (std::exchange(_state->underWay, true)) {
			return false;
		}
		_state->listener = &listener;
	}
	const bool taken = reader.elsewhere([state = _state, work = std::move(work)] {
		auto trouble = work();
		const std::lock_guard lock(state->mutex);
		state->underWay = false;
		state->ended = std::move(trouble);
		if (state->listener != nullptr) {
			state->listener->newsRead();
		}
	});
	if (!taken) {
		const std::lock_guard lock(_state->mutex);
		_state->underWay = false;
	}
	return taken;
}

std::optional<std::string> Errand::ended()
{
	const std::lock_guard lock(_state->mutex);
	return std::exchange(_state->ended, std::nullopt);
}

void Errand::close() noexcept
{
	const std::lock_guard lock(_state->mutex);
	_state->listener = nullptr;
}

} // namespace issuer::vault::credential
