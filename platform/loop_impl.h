#pragma once
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "platform/loop.h"

/// The Asio side of Loop, for platform's own .cpp files (and programs that add a kind of link).
namespace wattmesh::platform {

struct Loop::Impl {
    boost::asio::io_context io{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{io.get_executor()};
};

}  // namespace wattmesh::platform
