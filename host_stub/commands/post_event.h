#pragma once

#include "commands/command.h"

namespace issuer::commands {

/// `issuer-host post-event`, run by the host itself: posts the line of JSON on stdin to the URL in $ISSUER_POST_URL. In
/// a process of its own, for which the time is bounded and the URL is no argument that others can read.
class PostEvent final : public Command
{
public:
	[[nodiscard]] std::string_view name() const override { return "post-event"; }
	[[nodiscard]] std::string_view summary() const override { return {}; }
	[[nodiscard]] std::string_view help() const override { return "Run by the host, for \"exec\" with a \"url\".\n"; }
	void defineOptions(Poco::Util::OptionSet&) const override {}
	bool setOption(const std::string&, std::string&) override { return true; }
	int run(const std::vector<std::string>& arguments) override;
};

} // namespace issuer::commands
