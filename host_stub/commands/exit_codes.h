#pragma once

namespace issuer::commands {

/// The program's exit codes, as sysexits.h numbers them.
enum ExitCode : int
{
	exitOk = 0,
	exitFindings = 1,     ///< the check was done, and found problems
	exitUsage = 64,       ///< an unknown command or option
	exitData = 65,        ///< the file is not a plugin that this host would load
	exitUnavailable = 69, ///< no running host answers
	exitSoftware = 70,    ///< a plugin did not stop in time, or this program has a fault
	exitOutput = 74,      ///< done, but the output could not be written
	exitTemporary = 75,   ///< not done, and everything is as before
	exitConfig = 78,      ///< the configuration cannot be used, or names no issuer
};

} // namespace issuer::commands
