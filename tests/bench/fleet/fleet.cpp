#include "fleet.h"

#include <algorithm>
#include <dlfcn.h>
#include <stdexcept>

namespace issuer::bench {
namespace {

void log(void*, issuer_log_level, issuer_str, issuer_str) noexcept {}

const void* noExtension(void*, const char*) noexcept
{
	return nullptr;
}

void require(issuer_rc code, const issuer_error& error)
{
	if (code != ISSUER_OK) {
		throw std::runtime_error(error.message);
	}
}

issuer_error noError()
{
	issuer_error error{};
	error.struct_size = sizeof error;
	return error;
}

} // namespace

Plugin::Plugin(const std::string& file)
{
	void* const library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
	void* const symbol = library != nullptr ? ::dlsym(library, ISSUER_LIFECYCLE_SYMBOL) : nullptr;
	if (symbol == nullptr) {
		throw std::runtime_error(::dlerror());
	}
	lifecycle = static_cast<const issuer_lifecycle*>(symbol);
	control = static_cast<const issuer_control_ext*>(lifecycle->get_extension(ISSUER_EXT_CONTROL));
}

Fleet::Fleet(const Plugin& plugin, std::size_t size)
	: _plugin(plugin), _host{sizeof(issuer_host), ISSUER_ABI_MAJOR, ISSUER_ABI_MINOR, nullptr, log, noExtension},
	  _members(size)
{
}

void Fleet::createAll(const Configuration& configuration)
{
	auto error = noError();
	for (std::size_t i = 0; i < size(); ++i) {
		auto& member = _members[i];
		member.fleet = this;
		const auto text = configuration(i);
		require(_plugin.lifecycle->create(&_host, {text.data(), text.size()}, &member.instance, &error), error);
		const issuer_recorder recorder{sizeof recorder, 0, &member, record};
		require(_plugin.lifecycle->set_recorder(member.instance, &recorder, &error), error);
	}
}

Fleet::~Fleet()
{
	stopAll();
	for (const auto& member : _members) {
		_plugin.lifecycle->destroy(member.instance, nullptr);
	}
}

void Fleet::start(std::size_t number)
{
	auto error = noError();
	require(_plugin.lifecycle->start(_members[number].instance, &error), error);
}

void Fleet::startAll()
{
	for (std::size_t i = 0; i < size(); ++i) {
		start(i);
	}
}

void Fleet::renewAll()
{
	auto error = noError();
	for (const auto& member : _members) {
		require(_plugin.control->renew_now(member.instance, &error), error);
	}
}

void Fleet::stopAll()
{
	for (const auto& member : _members) {
		_plugin.lifecycle->stop(member.instance, 10'000, nullptr);
	}
}

void Fleet::awaitActive(std::size_t count)
{
	_active.await(count);
}

void Fleet::awaitRenewals(std::size_t count)
{
	_renewals.await(count);
}

std::vector<double> Fleet::delays(const std::function<bool(std::size_t)>& ofWhom) const
{
	std::vector<double> delays;
	for (std::size_t i = 0; i < size(); ++i) {
		if (_members[i].worstDelay >= 0 && ofWhom(i)) {
			delays.push_back(static_cast<double>(_members[i].worstDelay));
		}
	}
	return delays;
}

void Fleet::record(void* context, const issuer_event* event) noexcept
{
	auto& member = *static_cast<Member*>(context);
	auto& fleet = *member.fleet;
	if (event->kind == ISSUER_EVENT_STATE) {
		if (event->state == ISSUER_STATE_ACTIVE) {
			fleet._active.add();
		}
	}
	else if (event->result == ISSUER_RESULT_SUCCESS) {
		if (member.planned >= 0 && fleet._watchesDelays) {
			const auto began = event->unix_ms - static_cast<std::int64_t>(event->latency_us / 1000);
			member.worstDelay = std::max(member.worstDelay, static_cast<float>(began - member.planned) / 1000);
		}
		fleet._renewals.add();
	}
	else {
		++fleet._failures;
	}
	member.planned = event->next_unix_ms;
}

void Fleet::Counter::add()
{
	if (++count == target) {
		reached.release();
	}
}

void Fleet::Counter::await(std::size_t wanted)
{
	static_cast<void>(reached.try_acquire()); // from an earlier wait that was over before it began
	target = wanted;
	if (count < wanted && !reached.try_acquire_for(std::chrono::minutes(5))) {
		throw std::runtime_error(
			"only " + std::to_string(count) + " of " + std::to_string(wanted) + " in five minutes");
	}
}

} // namespace issuer::bench
