#pragma once

#include "common/result.h"
#include "loader/plugins.h"
#include "observe/events/event_sink.h"
#include "registry/calls.h"

#include <chrono>
#include <memory>

namespace issuer::registry {

/// The plugins that a host's issuers use. One is opened at a time. Opening one may hang, in its file system or in its
/// initialisers: no function waits for that longer than `callTimeout`. Functions are [thread-safe].
class UsedPlugins
{
public:
	/// A loaded plugin. It is not released while a copy of `hold` exists.
	struct Opened
	{
		std::shared_ptr<const loader::Plugin> plugin;
		std::shared_ptr<const void> hold;
	};

	/// `plugins` must outlive it. `sink` is told of each plugin that is released.
	UsedPlugins(loader::Plugins& plugins, std::shared_ptr<Calls> calls, std::chrono::milliseconds callTimeout,
		std::shared_ptr<observe::EventSink> sink);

	/// Loads the plugin, or returns it if it is loaded already. The error names the plugin.
	[[nodiscard]] Result<Opened> open(const loader::PluginFile& file);

	/// Checks that the file at that path is still the one that was loaded from it; success also where its file system
	/// does not answer in time. The error says why it is another.
	[[nodiscard]] Result<void> checkStillLoadable(const loader::PluginFile& file) const;

	/// Unloads the plugins that are not held.
	void releaseUnused();

private:
	struct Shared;

	const std::shared_ptr<Shared> _shared;
	const std::shared_ptr<Calls> _calls;
	const std::chrono::milliseconds _callTimeout;
	const std::shared_ptr<observe::EventSink> _sink;
};

} // namespace issuer::registry
