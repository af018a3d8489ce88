// Rows made larger and cut back: a row lies in the corner of a larger one of the same rank, and the
// rest is filled.
//
//   dims {2, 3} into {3, 4}     a b c .
//                               d e f .        . is the fill
//                               . . . .
//
// Row-major, of any rank; dimensions of size 0 work. Pure but for what is written at `to`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace millrace {

using Dims = std::span<const std::int64_t>;

std::size_t element_count(Dims dims);

// Writes all of `into`, none of whose dims is smaller than that of `dims`. `element` is the bytes
// of one element.
void pad_numbers(const std::byte* from, Dims dims, std::byte* to, Dims into,
                 std::span<const std::byte> element);
void pad_strings(const std::string* from, Dims dims, std::string* to, Dims into,
                 const std::string& fill);

// The way back: writes the corner of size `cut`, none of whose dims is larger than that of `dims`.
void cut_numbers(const std::byte* from, Dims dims, std::byte* to, Dims cut,
                 std::size_t element_bytes);
void cut_strings(const std::string* from, Dims dims, std::string* to, Dims cut);

}  // namespace millrace
