/// The plugin's side of the contract: an author writes a class with five functions and one line that exports it.
///
///     class Mine
///     {
///     public:
///         static constexpr issuer_descriptor descriptor =
///             issuer::kit::descriptor("org.example.mine", "Mine", "1.0.0", R"({"type": "object"})");
///
///         static issuer::kit::Result<Config> configure(std::string_view json);  // reads and judges; opens nothing
///         Mine(issuer::kit::HostCallbacks& host, Config config);                // starts nothing
///         issuer::kit::Answer start();                                // no effect while it runs
///         issuer::kit::Answer stop(std::chrono::milliseconds timeout); // OK: no code of it runs, none will
///         bool isRunning() const;                                     // from start until a stop has answered OK
///     };
///     ISSUER_PLUGIN(Mine);
///
/// The kit does the rest: nothing that is thrown crosses, calls from inside a callback of the same instance answer
/// ISSUER_E_REENTRANT, every struct_size is asked, texts are UTF-8 in one line, a running instance is not destroyed,
/// and set_recorder is a barrier. worker.h has a thread for start, stop and isRunning; extension_slots.h lists
/// functions that the class may have besides. Link with the version script, as CONTRACT.md says.
#pragma once

#include <issuer/kit/enter.h>
#include <issuer/kit/extension_slots.h>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>
#include <string_view>

namespace issuer::kit {

/// Returns a plugin's description. The texts are literals, in UTF-8; `configSchema` is a JSON Schema, or null.
[[nodiscard]] constexpr issuer_descriptor descriptor(
	const char* id, const char* name, const char* version, const char* configSchema = nullptr)
{
	return {sizeof(issuer_descriptor), 0, id, name, version, configSchema};
}

/// A class that ISSUER_PLUGIN can export.
template <class Plugin>
concept IsPlugin = requires(Plugin& plugin, const Plugin& same, HostCallbacks& host, std::string_view json)
{
	{
		Plugin::descriptor
		} -> std::convertible_to<const issuer_descriptor&>;
	Plugin(host, std::move(*Plugin::configure(json)));
	{
		Plugin::configure(json).answer()
		} -> std::same_as<Answer>;
	{
		plugin.start()
		} -> std::same_as<Answer>;
	{
		plugin.stop(std::chrono::milliseconds())
		} -> std::same_as<Answer>;
	{
		same.isRunning()
		} -> std::same_as<bool>;
};

namespace detail {

template <class Plugin>
issuer_rc create(const issuer_host* host, issuer_str config, issuer_instance** out, issuer_error* err) noexcept
{
	if (out == nullptr) {
		return fail(err, ISSUER_E_INVALID, "out is NULL");
	}
	*out = nullptr;
	if (host == nullptr || !ISSUER_HAS(host, issuer_host, get_extension) || host->log == nullptr) {
		return fail(err, ISSUER_E_INVALID, "host: all fields of 1.0 are wanted, and a log");
	}
	return guard(err, [&]() -> Answer {
		auto configured = Plugin::configure(view(config));
		if (configured) {
			*out = std::make_unique<Held<Plugin>>(*host, std::move(*configured)).release();
		}
		return configured.answer();
	});
}

template <class Plugin>
issuer_rc destroy(issuer_instance* self, issuer_error* err) noexcept
{
	return enter<Plugin>(self, err, [&](const Plugin& plugin) -> Answer {
		if (plugin.isRunning()) {
			return {ISSUER_E_BUSY, "still running: stop it first"};
		}
		delete static_cast<Held<Plugin>*>(self);
		return {};
	});
}

template <class Plugin>
issuer_rc start(issuer_instance* self, issuer_error* err) noexcept
{
	return enter<Plugin>(self, err, [](Plugin& plugin) { return plugin.start(); });
}

template <class Plugin>
issuer_rc stop(issuer_instance* self, std::uint32_t timeoutMs, issuer_error* err) noexcept
{
	return enter<Plugin>(self, err, [&](Plugin& plugin) { return plugin.stop(std::chrono::milliseconds(timeoutMs)); });
}

template <class Plugin>
issuer_rc setRecorder(issuer_instance* self, const issuer_recorder* recorder, issuer_error* err) noexcept
{
	return enter<Plugin>(self, err, [&](const Plugin&) -> Answer {
		if (recorder != nullptr && (!ISSUER_HAS(recorder, issuer_recorder, record) || recorder->record == nullptr)) {
			return {ISSUER_E_INVALID, "recorder: all fields of 1.0 are wanted, and a record; or NULL"};
		}
		self->host.setRecorder(recorder);
		return {};
	});
}

} // namespace detail

/// The table of a plugin class. Constant data: a host may look at it before any code of the plugin has run.
template <IsPlugin Plugin>
inline constexpr issuer_lifecycle lifecycleOf{sizeof(issuer_lifecycle), ISSUER_ABI_MAJOR, ISSUER_ABI_MINOR,
	&Plugin::descriptor, detail::create<Plugin>, detail::destroy<Plugin>, detail::start<Plugin>, detail::stop<Plugin>,
	detail::setRecorder<Plugin>, detail::getExtension<Plugin>};

} // namespace issuer::kit

/// Exports a plugin class: once in a library, outside of any namespace.
#define ISSUER_PLUGIN(Plugin)                                                                                          \
	extern "C" constinit const issuer_lifecycle issuer_lifecycle_v1 = ::issuer::kit::lifecycleOf<Plugin>
