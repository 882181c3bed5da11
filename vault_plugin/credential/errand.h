#pragma once

#include "credential/reader.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace issuer::vault::credential {

/// Work with files, one piece at a time, on a thread that may hang. For one thread at a time; the listener is told of
/// the end on another.
class Errand
{
public:
	/// Returns the trouble as one line for the operator; empty: none.
	using Work = std::function<std::string()>;

	Errand();
	~Errand();
	Errand(const Errand&) = delete;
	Errand& operator=(const Errand&) = delete;

	/// Begins, unless the work before is under way: returns false then, or if no thread can be had.
	[[nodiscard]] bool begin(Reader& reader, Work work, NewsListener& listener);

	/// Returns the trouble of the work that has ended since the last call, or an empty text.
	[[nodiscard]] std::optional<std::string> ended();

	/// Ends the calls to the listener.
	void close() noexcept;

private:
	struct State;
	std::shared_ptr<State> _state; ///< shared with the work under way, which may outlive this
};

} // namespace issuer::vault::credential
