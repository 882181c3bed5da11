#include "transport/body_lines.h"

#include <string>
#include <utility>

namespace issuer::vault::transport {

Result<void> BodyLines::take(std::string_view piece)
{
	for (auto end = piece.find('\n'); end != piece.npos; end = piece.find('\n')) {
		auto line = piece.substr(0, end);
		piece.remove_prefix(end + 1);
		if (_begun.size() + line.size() > _longest) {
			return failure("a line of the reply is longer than " + std::to_string(_longest) + " bytes");
		}
		std::string whole;
		if (!_begun.empty()) {
			whole = std::exchange(_begun, {}).append(line);
			line = whole;
		}
		if (line.ends_with('\r')) {
			line.remove_suffix(1);
		}
		if (line.empty()) {
			continue;
		}
		if (auto taken = _line(line); !taken) {
			return taken;
		}
	}
	if (_begun.size() + piece.size() > _longest) {
		return failure("a line of the reply is longer than " + std::to_string(_longest) + " bytes");
	}
	_begun.append(piece);
	return {};
}

} // namespace issuer::vault::transport
