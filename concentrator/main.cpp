#include "concentrator/program/program.h"
#include "platform/main_guard.h"

int main(int argc, char** argv) {
    return wattmesh::platform::guarded_main("concentrator",
                                            [&] { return wattmesh::concentrator::run_program(argc, argv); });
}
