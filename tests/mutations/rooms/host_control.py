"""host_stub/control: the control socket."""

MUTATIONS = [
    ("client that hangs up", "host_stub/control/unix_socket.cpp", "bytes.size(), MSG_NOSIGNAL)", "bytes.size(), 0)",
     "server.h: a client that hangs up does not kill the host", "host_control_test:APeerThatHasGone.*"),
    ("any user", "host_stub/control/server.cpp", "? std::optional(Peer::reader) : std::nullopt",
     "? std::optional(Peer::reader) : std::optional(Peer::owner)",
     "SECURITY: only the host's own user, root and the readers' group may ask", "host_control_test:APeer.*"),
    ("readers may change", "host_stub/commands/control_requests.cpp", "if (peer == control::Peer::reader) {", "if (false) {",
     "server.h: a reader gets status and issuers alone", "host_commands_test:ControlRequests.ReadersLook*"),
    ("root is nobody", "host_stub/control/server.cpp", "(peer.uid == 0 || peer.uid == ::geteuid())",
     "(peer.uid == ::geteuid() && peer.uid != 0)", "SECURITY: root may ask", "host_control_test:APeer.*"),
    ("socket for all", "host_stub/control/server.cpp", "::fchmod(socket.get(), S_IRUSR | S_IWUSR)",
     "::fchmod(socket.get(), 0666)", "SECURITY: the control socket is for the host's user alone",
     "host_control_test:Control.IsFor*"),
    ("a file is removed", "host_stub/control/server.cpp", "if (!S_ISSOCK(status.st_mode)) {", "if (false) {",
     "server.h: what is no socket is never removed", "host_control_test:Control.NeverRemoves*"),
]
