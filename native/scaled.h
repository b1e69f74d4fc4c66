#pragma once

#include <cmath>
#include <cstddef>

namespace sluice {

/** Writes the vector of `size` numbers with its length made `length`; one of length 0 stays as it is. */
inline void writeScaled(const float *vector, size_t size, double length, float *to) {
    double square = 0;
    for (size_t i = 0; i < size; i++)
        square += static_cast<double>(vector[i]) * vector[i];
    const double scale = square > 0 ? length / std::sqrt(square) : 0;
    for (size_t i = 0; i < size; i++)
        to[i] = static_cast<float>(vector[i] * scale);
}

} // namespace sluice
