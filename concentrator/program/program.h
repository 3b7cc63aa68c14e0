#pragma once

namespace wattmesh::concentrator {

/// The concentrator as a program: settings, enrolment, sockets, signals. Throws with words for an operator.
int run_program(int argc, const char* const* argv);

}  // namespace wattmesh::concentrator
