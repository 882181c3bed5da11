#include "fake_plugin.h"

#include "observe/events/names.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <issuer/control.h>
#include <issuer/handover.h>
#include <issuer/health.h>
#include <issuer/secrets.h>
#include <set>
#include <stdexcept>

namespace issuer::test {

using namespace std::chrono_literals;

struct FakePlugin::Instance
{
	FakePlugin* plugin;
	const issuer_host* host;
	issuer_recorder recorder;
	bool cancelled;
	std::string secrets; ///< empty: none to lend
};

namespace {

constexpr std::size_t places = 4;
std::array<FakePlugin*, places> living{}; // a table has no room for `this`: each place has slots of its own

/// Those that a test leaves alone because they do not stop stay reachable here to the very end: not leaks.
std::mutex instancesMutex;
std::set<FakePlugin::Instance*>& instances = *new std::set<FakePlugin::Instance*>;

FakePlugin::Instance* cast(issuer_instance* instance)
{
	return reinterpret_cast<FakePlugin::Instance*>(instance);
}

} // namespace

void Record::add(std::string text)
{
	const std::lock_guard lock(_mutex);
	_texts.push_back(std::move(text));
	_changed.notify_all();
}

std::vector<std::string> Record::all() const
{
	const std::lock_guard lock(_mutex);
	return _texts;
}

bool Record::waitFor(const std::string& text, int times) const
{
	std::unique_lock lock(_mutex);
	return _changed.wait_for(lock, 30s, [&] { return std::ranges::count(_texts, text) >= times; });
}

struct Slots
{
	template <std::size_t place>
	static issuer_rc create(const issuer_host* host, issuer_str, issuer_instance** out, issuer_error* error) noexcept
	{
		*out = nullptr;
		const issuer_rc code = living[place]->take("create", error);
		if (code == ISSUER_OK) {
			auto* const instance = new FakePlugin::Instance{living[place], host, {}, false, {}};
			const std::lock_guard lock(instancesMutex);
			instances.insert(instance);
			*out = reinterpret_cast<issuer_instance*>(instance);
		}
		return code;
	}

	static issuer_rc destroy(issuer_instance* self, issuer_error* error) noexcept
	{
		const issuer_rc code = cast(self)->plugin->take("destroy", error);
		if (code == ISSUER_OK) {
			const std::lock_guard lock(instancesMutex);
			instances.erase(cast(self));
			delete cast(self);
		}
		return code;
	}

	static issuer_rc start(issuer_instance* self, issuer_error* error) noexcept
	{
		FakePlugin& plugin = *cast(self)->plugin;
		const issuer_rc code = plugin.take("start", error);
		std::unique_lock lock(plugin._mutex);
		plugin._last = cast(self);
		if (cast(self)->secrets.empty()) {
			cast(self)->secrets = plugin.loginBrings;
		}
		if (plugin._stateAtStart) {
			issuer_event event{};
			event.struct_size = sizeof event;
			event.kind = ISSUER_EVENT_STATE;
			event.state = *plugin._stateAtStart;
			cast(self)->recorder.record(cast(self)->recorder.ctx, &event);
		}
		if (!plugin._startWaits || code != ISSUER_OK) {
			return code;
		}
		plugin._changed.wait(lock, [&] { return cast(self)->cancelled; });
		cast(self)->cancelled = false;
		return ISSUER_E_CANCELLED;
	}

	static issuer_rc stop(issuer_instance* self, uint32_t timeout, issuer_error* error) noexcept
	{
		FakePlugin& plugin = *cast(self)->plugin;
		{
			const std::lock_guard lock(plugin._mutex);
			cast(self)->cancelled = plugin._startWaits;
			plugin._changed.notify_all();
		}
		return plugin.take(timeout == 0 ? "poll" : "stop", error);
	}

	static issuer_rc setRecorder(issuer_instance* self, const issuer_recorder* recorder, issuer_error* error) noexcept
	{
		FakePlugin& plugin = *cast(self)->plugin;
		const issuer_rc code = plugin.take(recorder == nullptr ? "silence" : "record", error);
		const std::lock_guard lock(plugin._mutex);
		if (code == ISSUER_OK) {
			cast(self)->recorder = recorder == nullptr ? issuer_recorder{} : *recorder;
		}
		return code;
	}

	static issuer_rc exportState(issuer_instance* self, issuer_write write, void* ctx, issuer_error* error) noexcept
	{
		const issuer_rc code = cast(self)->plugin->take("export", error);
		const std::string state = "state of " + cast(self)->plugin->name();
		if (code == ISSUER_OK) {
			write(ctx, {state.data(), state.size()});
		}
		return code;
	}

	static issuer_rc importState(issuer_instance* self, issuer_str blob, issuer_error* error) noexcept
	{
		return cast(self)->plugin->take("import " + std::string(blob.ptr, blob.len), error);
	}

	static issuer_rc lend(issuer_instance* self, issuer_secrets_visit visit, void* ctx, issuer_error* error) noexcept
	{
		const issuer_rc code = cast(self)->plugin->take("lend", error);
		const std::string bytes = cast(self)->secrets;
		if (code == ISSUER_OK && !bytes.empty()) {
			visit(ctx, {bytes.data(), bytes.size()});
		}
		return code == ISSUER_OK && bytes.empty() ? ISSUER_E_UNAVAILABLE : code;
	}

	static issuer_rc take(issuer_instance* self, issuer_str secrets, issuer_error* error) noexcept
	{
		const std::string bytes(secrets.ptr, secrets.len);
		const issuer_rc code = cast(self)->plugin->take("take " + bytes, error);
		cast(self)->secrets = code == ISSUER_OK ? bytes : "";
		return code;
	}

	static issuer_rc health(issuer_instance* self, issuer_health* out, issuer_error* error) noexcept
	{
		const issuer_rc code = cast(self)->plugin->take("health", error);
		out->struct_size = offsetof(issuer_health, capped_at_unix_ms);
		out->state = ISSUER_STATE_ACTIVE;
		out->success = 7;
		out->expires_unix_ms = 4'000'003'600'000;
		out->next_unix_ms = cast(self)->plugin->requestsOut-- > 0 ? -1 : 4'000'000'000'000;
		return code;
	}

	static issuer_rc renew(issuer_instance* self, issuer_error* error) noexcept
	{
		return cast(self)->plugin->take("renew", error);
	}

	static issuer_rc reread(issuer_instance* self, issuer_error* error) noexcept
	{
		return cast(self)->plugin->take("reread", error);
	}

	template <std::size_t place>
	static const void* extension(const char* id) noexcept
	{
		static const issuer_handover_ext handover{sizeof handover, 0, &exportState, &importState, nullptr};
		static const issuer_health_ext healthTable{sizeof healthTable, 0, &health};
		static const issuer_control_ext control{sizeof control, 0, &renew, &reread};
		static const issuer_secrets_ext secrets{sizeof secrets, 0, &lend, &take};
		if (std::strcmp(id, ISSUER_EXT_SECRETS) == 0) {
			return living[place]->offersSecrets ? &secrets : nullptr;
		}
		if (std::strcmp(id, ISSUER_EXT_CONTROL) == 0) {
			return living[place]->offersControl ? &control : nullptr;
		}
		if (std::strcmp(id, ISSUER_EXT_HEALTH) == 0) {
			return living[place]->offersHealth ? &healthTable : nullptr;
		}
		return living[place]->offersHandover && std::strcmp(id, ISSUER_EXT_HANDOVER) == 0 ? &handover : nullptr;
	}

	static constexpr issuer_descriptor descriptor{
		sizeof(issuer_descriptor), 0, "org.example.fake", "Fake", "1", nullptr};

	template <std::size_t place>
	static constexpr issuer_lifecycle table{sizeof(issuer_lifecycle), ISSUER_ABI_MAJOR, ISSUER_ABI_MINOR, &descriptor,
		&create<place>, &destroy, &start, &stop, &setRecorder, &extension<place>};
};

FakePlugin::FakePlugin(std::string name, Record& calls) : _name(std::move(name)), _calls(calls)
{
	const auto free = std::ranges::find(living, nullptr);
	if (free == living.end()) {
		throw std::logic_error("too many fake plugins");
	}
	*free = this;
	_place = static_cast<std::size_t>(free - living.begin());
}

FakePlugin::~FakePlugin()
{
	living[_place] = nullptr;
}

const issuer_lifecycle& FakePlugin::table() const
{
	static constexpr std::array<const issuer_lifecycle*, places> tables{
		&Slots::table<0>, &Slots::table<1>, &Slots::table<2>, &Slots::table<3>};
	return *tables[_place];
}

void FakePlugin::answer(const std::string& slot, std::vector<issuer_rc> codes)
{
	const std::lock_guard lock(_mutex);
	_answers[slot] = std::move(codes);
}

void FakePlugin::startWaits()
{
	const std::lock_guard lock(_mutex);
	_startWaits = true;
}

void FakePlugin::hang(const std::string& slot)
{
	const std::lock_guard lock(_mutex);
	_hanging.insert(slot);
}

void FakePlugin::letGo()
{
	const std::lock_guard lock(_mutex);
	_hanging.clear();
	_changed.notify_all();
}

void FakePlugin::recordsAtStart(issuer_state state)
{
	const std::lock_guard lock(_mutex);
	_stateAtStart = state;
}

void FakePlugin::recordEvent(const issuer_event& event)
{
	const std::lock_guard lock(_mutex);
	_last->recorder.record(_last->recorder.ctx, &event);
}

void FakePlugin::log(issuer_log_level level, const std::string& component, const std::string& text)
{
	const std::lock_guard lock(_mutex);
	_last->host->log(_last->host->ctx, level, {component.data(), component.size()}, {text.data(), text.size()});
}

issuer_rc FakePlugin::take(const std::string& slot, issuer_error* error)
{
	if (slot != "poll") { // how often a start is cancelled is a matter of chance
		_calls.add(_name + "." + slot);
	}
	polls += slot == "poll" ? 1 : 0;
	if (int none = -1; slot == "stop") {
		pollsBeforeStop.compare_exchange_strong(none, polls);
	}
	std::unique_lock lock(_mutex);
	const std::string word = slot.substr(0, slot.find(' '));
	_changed.wait(lock, [&] { return !_hanging.contains(word); });
	auto& answers = _answers[word];
	if (answers.empty()) {
		return ISSUER_OK;
	}
	const issuer_rc code = answers.front();
	answers.erase(answers.begin());
	if (error != nullptr && code != ISSUER_OK) {
		error->code = code;
		std::snprintf(error->message, sizeof error->message, "%s says %d", slot.c_str(), code);
	}
	return code;
}

Result<std::shared_ptr<const loader::Plugin>> FakePlugins::open(const loader::PluginFile& file)
{
	const std::string name = file.path.string();
	const auto known = _plugins.find(name);
	if (known == _plugins.end()) {
		return failure("plugin " + name + " refused: there is no such file");
	}
	if (auto plugin = _open[name].lock()) {
		return plugin;
	}
	loader::Description description;
	description.path = name;
	description.name = "Fake";
	description.version = name;
	auto plugin = std::make_shared<const loader::Plugin>(std::move(description), known->second->table(), nullptr);
	_open[name] = plugin;
	return plugin;
}

loader::Plugins::Release FakePlugins::release(std::shared_ptr<const loader::Plugin> plugin)
{
	const std::string name = plugin->description().path.string();
	const bool last = plugin.use_count() == 1;
	_calls.add(name + (last ? ".closed" : ".in use"));
	return last ? Release::closed : Release::inUse;
}

void FakeSink::event(std::string_view issuer, const issuer_event& event)
{
	_told.add(std::string(issuer) + " event: " + std::string(event.detail.ptr, event.detail.len));
}

void FakeSink::log(std::string_view issuer, issuer_log_level, std::string_view component, std::string_view text)
{
	_told.add(std::string(issuer) + ' ' + std::string(component) + ": " + std::string(text));
}

void FakeSink::notice(const observe::Notice& notice)
{
	const std::string issuer(notice.issuer);
	_told.add(
		issuer + (issuer.empty() ? "" : " ") + observe::actionName(notice.action) + ": " + std::string(notice.text));
}

FakeWorld::FakeWorld()
{
	plugins.add(old);
	plugins.add(next);
	surroundings.sink = std::make_shared<FakeSink>(told);
	surroundings.stopTimeout = 20s;
	surroundings.resolve = [](loader::PluginFile file) -> Result<loader::PluginFile> {
		file.path = file.wanted(); // a fake's name is its path
		file.name.clear();
		return file;
	};
	surroundings.backoff = [](unsigned, bool) { return 1ms; };
}

registry::IssuerSpec FakeWorld::spec(const std::string& name, const std::string& plugin, const std::string& config)
{
	return {name, {plugin, {}}, config};
}

} // namespace issuer::test
