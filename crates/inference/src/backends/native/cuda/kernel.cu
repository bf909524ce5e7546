// The network in integers on an NVIDIA GPU (compute capability 8.0 or newer): the same scores, bit for bit, as the native
// kernel gives on a CPU. `scripts/compile_cuda_kernel.py` makes kernel.ptx of it, which the driver compiles for its device.
//
// `convolutions`: a warp takes one seed after the other. The three convolutions are matrix products of 8-bit integers on the
// tensor cores (`mma.m16n8k32`): 16 rows are positions, 8 columns are output channels, 32 products lie along the taps and
// input channels. Rows 0 to 7 of the first two are even positions, rows 8 to 15 the odd ones after them, so that a pool is the
// larger of two values of one thread. Columns are dealt out so that a thread has four neighbouring channels of two tiles: it
// stores them as one word (`layout.rs` deals them out).
// `heads`: a thread takes one seed through the two dense layers, in 32-bit floating point, in the order of the CPU's code.
//
// Compiled without contraction of multiplications and additions.

typedef unsigned char u8;
typedef unsigned int u32;

#define WARPS 8
#define LANES 32
// Sizes of the network: see shape.rs.
#define CHANNELS_1 32
#define CHANNELS 64
#define POSITIONS_3 26
#define HIDDEN 32
#define SEED_WORDS 32

// Weights in the order in which threads read them: step of 32 products, pair of tiles of 8 columns, lane, 16 bytes.
struct Weights {
    uint4 first[2][2][LANES];
    uint4 second[5][4][LANES];
    uint4 third[6][4][LANES];
};

struct Parameters {
    Weights weights;
    // Four channels each.
    int4 biases_1[CHANNELS_1 / 4];
    int4 biases_2[CHANNELS / 4];
    int4 biases_3[CHANNELS / 4];
    float4 multipliers_1[CHANNELS_1 / 4];
    float4 multipliers_2[CHANNELS / 4];
    float4 multipliers_3[CHANNELS / 4];
};

// Rows of 32 and of 64 bytes that the tiles of the second and the third convolution reach into.
#define ROWS_1 34
#define ROWS_2 34
#define ONE_HOT_WORDS 280

// What a warp keeps of its seed.
struct Activations {
    // First block: positions 2i, and positions 2i + 1.
    __align__(128) u8 even[ROWS_1 * CHANNELS_1];
    __align__(128) u8 odd[ROWS_1 * CHANNELS_1];
    // Needed one after the other: one-hot windows, a word for the read's four bases and one for the reference's; the second block.
    union {
        u32 one_hot[ONE_HOT_WORDS];
        __align__(128) u8 second[ROWS_2 * CHANNELS];
    };
};

struct Shared {
    Parameters parameters;
    Activations activations[WARPS];
};

__device__ __forceinline__ void multiply(int (&sums)[4], const u32 (&rows)[4], u32 columns_low, u32 columns_high) {
    asm("mma.sync.aligned.m16n8k32.row.col.s32.u8.s8.s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+r"(sums[0]), "+r"(sums[1]), "+r"(sums[2]), "+r"(sums[3])
        : "r"(rows[0]), "r"(rows[1]), "r"(rows[2]), "r"(rows[3]), "r"(columns_low), "r"(columns_high));
}

// Both tiles of a pair.
__device__ __forceinline__ void multiply_pair(int (&sums)[2][4], const u32 (&rows)[4], const uint4 &columns) {
    multiply(sums[0], rows, columns.x, columns.y);
    multiply(sums[1], rows, columns.z, columns.w);
}

// Four times eight rows of 16 bytes; each lane gives the address of one row.
__device__ __forceinline__ void load_rows(u32 (&rows)[4], const u8 *row) {
    u32 address = (u32)__cvta_generic_to_shared(row);
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
        : "=r"(rows[0]), "=r"(rows[1]), "=r"(rows[2]), "=r"(rows[3]) : "r"(address) : "memory");
}

// The sums of both tiles start from the biases of the thread's four channels.
__device__ __forceinline__ void start(int (&sums)[2][4], const int4 &biases) {
    sums[0][0] = sums[0][2] = biases.x;
    sums[0][1] = sums[0][3] = biases.y;
    sums[1][0] = sums[1][2] = biases.z;
    sums[1][1] = sums[1][3] = biases.w;
}

// `requantised` of network.rs; the result is in the lowest byte, and the lowest 16 bits hold nothing else.
__device__ __forceinline__ u32 requantised(int sum, float multiplier) {
    float scaled = fminf(fmaxf(__fmul_rn(__int2float_rn(sum), multiplier), 0.0f), 255.0f);
    return __float_as_uint(__fadd_rn(scaled, 12582912.0f));
}

__device__ __forceinline__ u32 packed_bytes(u32 a, u32 b, u32 c, u32 d) {
    return __byte_perm(__byte_perm(a, b, 0x0040), __byte_perm(c, d, 0x0040), 0x5410);
}

// The larger of each two neighbouring positions, rounded: four channels in a word.
__device__ __forceinline__ u32 pooled(const int (&sums)[2][4], const float4 &multipliers) {
    return packed_bytes(requantised(max(sums[0][0], sums[0][2]), multipliers.x),
                        requantised(max(sums[0][1], sums[0][3]), multipliers.y),
                        requantised(max(sums[1][0], sums[1][2]), multipliers.z),
                        requantised(max(sums[1][1], sums[1][3]), multipliers.w));
}

// Where 16 bytes of a row lie: moved about so that eight neighbouring rows lie in different banks.
__device__ __forceinline__ u32 place_1(u32 row, u32 chunk) { return row * CHANNELS_1 + ((chunk ^ (row >> 2 & 1)) << 4); }
__device__ __forceinline__ u32 place_2(u32 row, u32 chunk) { return row * CHANNELS + ((chunk ^ (row >> 1 & 3)) << 4); }

// Four bits as four bytes.
__device__ __forceinline__ u32 bytes_of_bits(u32 bits) { return bits * 0x00204081u & 0x01010101u; }

// `word`: the lane's four bytes of the packed seed.
__device__ __forceinline__ void write_one_hot(Activations &activations, u32 word, u32 lane) {
#pragma unroll
    for (u32 round = 0; round < 8; round++) {
        u32 position = round * 16 + (lane >> 1);
        u32 source = __shfl_sync(~0u, word, (lane & 1) * 16 + position / 8);
        u32 byte = source >> (position / 2 % 4 * 8);
        u32 bits = position & 1 ? byte & 15 : byte >> 4 & 15;
        activations.one_hot[round * 32 + lane] = bytes_of_bits(bits);
    }
}

__device__ __forceinline__ void first_block(const Parameters &parameters, Activations &activations, u32 lane) {
    const u32 row = lane >> 2, quarter = lane & 3;
    uint4 columns[2][2];
    int4 biases[2];
    float4 multipliers[2];
#pragma unroll
    for (u32 pair = 0; pair < 2; pair++) {
        columns[0][pair] = parameters.weights.first[0][pair][lane];
        columns[1][pair] = parameters.weights.first[1][pair][lane];
        biases[pair] = parameters.biases_1[pair * 4 + quarter];
        multipliers[pair] = parameters.multipliers_1[pair * 4 + quarter];
    }
#pragma unroll 2
    for (u32 tile = 0; tile < 8; tile++) {
        const u32 *words = &activations.one_hot[32 * tile + 4 * row + quarter];
        u32 low[4] = {words[0], words[2], words[4], words[6]};
        u32 high[4] = {words[8], words[10], words[12], words[14]};
        u32 position = tile * 8 + row;
        u8 *block = position & 1 ? activations.odd : activations.even;
#pragma unroll
        for (u32 pair = 0; pair < 2; pair++) {
            int sums[2][4];
            start(sums, biases[pair]);
            multiply_pair(sums, low, columns[0][pair]);
            multiply_pair(sums, high, columns[1][pair]);
            *(u32 *)&block[place_1(position >> 1, pair) + 4 * quarter] = pooled(sums, multipliers[pair]);
        }
    }
}

__device__ __forceinline__ void second_block(const Parameters &parameters, Activations &activations, u32 lane) {
    const u32 row = lane >> 2, quarter = lane & 3;
    const u32 address_row = lane & 7, odd = lane >> 3 & 1, chunk = lane >> 4;
#pragma unroll
    for (u32 half = 0; half < 2; half++) {
        int sums[4][2][2][4];
#pragma unroll
        for (u32 pair = 0; pair < 2; pair++) {
            int4 biases = parameters.biases_2[(half * 2 + pair) * 4 + quarter];
#pragma unroll
            for (u32 tile = 0; tile < 4; tile++) start(sums[tile][pair], biases);
        }
#pragma unroll
        for (u32 tap = 0; tap < 5; tap++) {
            uint4 columns[2] = {parameters.weights.second[tap][half * 2][lane], parameters.weights.second[tap][half * 2 + 1][lane]};
            const u8 *block = (odd + tap) & 1 ? activations.odd : activations.even;
#pragma unroll
            for (u32 tile = 0; tile < 4; tile++) {
                u32 rows[4];
                load_rows(rows, &block[place_1(tile * 8 + address_row + ((odd + tap) >> 1), chunk)]);
                multiply_pair(sums[tile][0], rows, columns[0]);
                multiply_pair(sums[tile][1], rows, columns[1]);
            }
        }
#pragma unroll
        for (u32 pair = 0; pair < 2; pair++) {
            float4 multipliers = parameters.multipliers_2[(half * 2 + pair) * 4 + quarter];
#pragma unroll
            for (u32 tile = 0; tile < 4; tile++) {
                u32 position = tile * 8 + row;
                *(u32 *)&activations.second[place_2(position, half * 2 + pair) + 4 * quarter] = pooled(sums[tile][pair], multipliers);
            }
        }
    }
}

// Sums over positions of the thread's rows: two channels a word, eight words a thread.
__device__ __forceinline__ void third_block(const Parameters &parameters, Activations &activations, u32 lane, u32 (&words)[8]) {
    const u32 row = lane >> 2, quarter = lane & 3;
    const u32 address_row = (lane & 7) + (lane >> 3 & 1) * 8, chunk = lane >> 4;
    int sums[2][4][2][4];
#pragma unroll
    for (u32 pair = 0; pair < 4; pair++) {
        int4 biases = parameters.biases_3[pair * 4 + quarter];
        start(sums[0][pair], biases);
        start(sums[1][pair], biases);
    }
#pragma unroll
    for (u32 step = 0; step < 6; step++) {
        u32 rows[2][4];
#pragma unroll
        for (u32 tile = 0; tile < 2; tile++)
            load_rows(rows[tile], &activations.second[place_2(tile * 16 + address_row + step / 2, step % 2 * 2 + chunk)]);
#pragma unroll
        for (u32 pair = 0; pair < 4; pair++) {
            uint4 columns = parameters.weights.third[step][pair][lane];
            multiply_pair(sums[0][pair], rows[0], columns);
            multiply_pair(sums[1][pair], rows[1], columns);
        }
    }
    // The last rows of the second tile are beyond the last position.
    const bool last_is_there = 24 + row < POSITIONS_3;
#pragma unroll
    for (u32 pair = 0; pair < 4; pair++) {
        float4 multipliers = parameters.multipliers_3[pair * 4 + quarter];
        float of_channel[4] = {multipliers.x, multipliers.y, multipliers.z, multipliers.w};
        u32 totals[4];
#pragma unroll
        for (u32 channel = 0; channel < 4; channel++) {
            u32 half = channel / 2, column = channel % 2;
            u32 last = requantised(sums[1][pair][half][column + 2], of_channel[channel]);
            totals[channel] = requantised(sums[0][pair][half][column], of_channel[channel])
                + requantised(sums[0][pair][half][column + 2], of_channel[channel])
                + requantised(sums[1][pair][half][column], of_channel[channel]) + (last_is_there ? last : 0);
        }
        words[pair * 2] = __byte_perm(totals[0], totals[1], 0x5410);
        words[pair * 2 + 1] = __byte_perm(totals[2], totals[3], 0x5410);
    }
}

// Adds up the words of the eight rows; each lane keeps one.
__device__ __forceinline__ u32 total_of_rows(u32 (&words)[8], u32 lane, u32 &kept) {
    kept = 0;
#pragma unroll
    for (u32 step = 4; step > 0; step /= 2) {
        const bool upper = lane & step * 4;
#pragma unroll
        for (u32 word = 0; word < 4; word++) {
            if (word < step) {
                u32 sent = upper ? words[word] : words[word + step];
                u32 own = upper ? words[word + step] : words[word];
                words[word] = own + __shfl_xor_sync(~0u, sent, step * 4);
            }
        }
        if (upper) kept += step;
    }
    return words[0];
}

// `packed`: 128 bytes a seed; `totals`: 64 sums of 16 bits a seed.
extern "C" __global__ void __launch_bounds__(WARPS * LANES, 2)
convolutions(const uint4 *parameters, const u32 *packed, u32 *totals, u32 seeds) {
    extern __shared__ __align__(128) u8 memory[];
    Shared &shared = *(Shared *)memory;
    for (u32 index = threadIdx.x; index < sizeof(Parameters) / sizeof(uint4); index += WARPS * LANES)
        ((uint4 *)&shared.parameters)[index] = parameters[index];
    const u32 warp = threadIdx.x / LANES, lane = threadIdx.x % LANES, step = gridDim.x * WARPS;
    Activations &activations = shared.activations[warp];
    // Behind the last position there is nothing; what rows beyond the last position read is not used.
    for (u32 index = lane; index < sizeof(Activations) / 4; index += LANES) ((u32 *)&activations)[index] = 0;
    __syncthreads();
    u32 seed = blockIdx.x * WARPS + warp;
    u32 word = seed < seeds ? packed[(size_t)seed * SEED_WORDS + lane] : 0;
    while (seed < seeds) {
        const u32 next = seed + step;
        const u32 next_word = next < seeds ? packed[(size_t)next * SEED_WORDS + lane] : 0;
        write_one_hot(activations, word, lane);
        // The second block of the seed before lay behind the windows: the taps of the last positions look there.
        if (lane < ONE_HOT_WORDS - 256) activations.one_hot[256 + lane] = 0;
        __syncwarp();
        first_block(shared.parameters, activations, lane);
        __syncwarp();
        second_block(shared.parameters, activations, lane);
        __syncwarp();
        u32 words[8], kept;
        third_block(shared.parameters, activations, lane, words);
        u32 total = total_of_rows(words, lane, kept);
        totals[(size_t)seed * SEED_WORDS + 8 * (kept / 2) + 2 * (lane & 3) + kept % 2] = total;
        __syncwarp();
        seed = next;
        word = next_word;
    }
}

struct Head {
    float hidden_weights[CHANNELS][HIDDEN];
    float hidden_biases[HIDDEN];
    float logit_weights[HIDDEN];
    float logit_bias;
    float mean_scale;
    float padding[2];
};

// `sigmoid` of head.rs, operation by operation.
__device__ float sigmoid(float value) {
    double logit = value;
    logit = logit < -120.0 ? -120.0 : logit > 120.0 ? 120.0 : logit;
    const double x = -logit;
    const double rounding = 6755399441055744.0;
    const double doublings = __dadd_rn(__dadd_rn(__dmul_rn(x, 1.4426950408889634074), rounding), -rounding);
    const double rest = __dadd_rn(x, -__dmul_rn(doublings, 0.69314718055994530942));
    double power = 1.0;
#pragma unroll
    for (int number = 13; number > 0; number--) power = __dadd_rn(1.0, __dmul_rn(power, __dmul_rn(rest, 1.0 / number)));
    power = __dmul_rn(power, __longlong_as_double(((long long)doublings + 1023) << 52));
    return (float)__ddiv_rn(1.0, __dadd_rn(1.0, power));
}

// `totals` of `convolutions`; `scores`: one a seed.
extern "C" __global__ void __launch_bounds__(128) heads(const float4 *parameters, const uint4 *totals, float *scores, u32 seeds) {
    __shared__ __align__(16) Head head;
    for (u32 index = threadIdx.x; index < sizeof(Head) / sizeof(float4); index += 128)
        ((float4 *)&head)[index] = parameters[index];
    __syncthreads();
    const u32 seed = blockIdx.x * 128 + threadIdx.x;
    if (seed >= seeds) return;
    float hidden[HIDDEN];
#pragma unroll
    for (u32 number = 0; number < HIDDEN; number++) hidden[number] = head.hidden_biases[number];
#pragma unroll 1
    for (u32 eight = 0; eight < CHANNELS / 8; eight++) {
        const uint4 words = totals[(size_t)seed * (CHANNELS / 8) + eight];
        const u32 pairs[4] = {words.x, words.y, words.z, words.w};
#pragma unroll
        for (u32 channel = 0; channel < 8; channel++) {
            const u32 sum = channel % 2 ? pairs[channel / 2] >> 16 : pairs[channel / 2] & 0xffff;
            const float mean = __fmul_rn(__uint2float_rn(sum), head.mean_scale);
            const float4 *weights = (const float4 *)head.hidden_weights[eight * 8 + channel];
#pragma unroll
            for (u32 four = 0; four < HIDDEN / 4; four++) {
                const float4 weight = weights[four];
                hidden[four * 4] = __fadd_rn(hidden[four * 4], __fmul_rn(weight.x, mean));
                hidden[four * 4 + 1] = __fadd_rn(hidden[four * 4 + 1], __fmul_rn(weight.y, mean));
                hidden[four * 4 + 2] = __fadd_rn(hidden[four * 4 + 2], __fmul_rn(weight.z, mean));
                hidden[four * 4 + 3] = __fadd_rn(hidden[four * 4 + 3], __fmul_rn(weight.w, mean));
            }
        }
    }
    float logit = head.logit_bias;
#pragma unroll
    for (u32 number = 0; number < HIDDEN; number++)
        logit = __fadd_rn(logit, __fmul_rn(head.logit_weights[number], fmaxf(hidden[number], 0.0f)));
    scores[seed] = sigmoid(logit);
}
