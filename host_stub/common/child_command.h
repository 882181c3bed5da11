#pragma once

#include "common/result.h"

#include <chrono>
#include <string>
#include <vector>

namespace issuer {

/// A program to run beside this one, with nothing of its environment and none of its descriptors.
struct ChildCommand
{
	std::vector<std::string> arguments;   ///< the first is the program's path
	std::vector<std::string> environment; ///< «NAME=value» each; all there is
	std::string input;                    ///< for its stdin; at most 64 KiB
};

/// Runs `command` and waits for it; its output goes to this program's stderr. Its whole process group is killed when it
/// has ended or `limit` has passed, and `grace` after `cancel`, a descriptor, became readable. Fails unless it ended
/// with 0; the error says how it ended, and names neither arguments nor environment.
[[nodiscard]] Result<void> runChild(
	const ChildCommand& command, std::chrono::milliseconds limit, int cancel, std::chrono::milliseconds grace);

} // namespace issuer
