#pragma once

#include "renewal/report.h"

#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace issuer::vault::renewal::test {

/// The reports of a keeper, sorted.
struct HeardReports
{
	std::vector<Event> events;
	std::vector<Note> notes;

	void add(Reports reports)
	{
		for (auto& report : reports) {
			if (auto* event = std::get_if<Event>(&report)) {
				events.push_back(std::move(*event));
			}
			else {
				notes.push_back(std::get<Note>(std::move(report)));
			}
		}
	}

	/// Forgets the reports so far.
	void clear() { *this = {}; }

	/// Returns the texts of the notes.
	[[nodiscard]] std::vector<std::string> lines() const
	{
		std::vector<std::string> lines;
		for (const auto& note : notes) {
			lines.push_back(note.text);
		}
		return lines;
	}
};

} // namespace issuer::vault::renewal::test
