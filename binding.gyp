# Builds the same addon as CMakeLists.txt, by node-gyp, against what scripts/build-native.mjs has put into
# build/native. Sources and flags are CMakeLists.txt's: change both.
{
  "variables": {
    "headers": "<!(node scripts/native/gyp.mjs headers)",
    "libraries": "<!(node scripts/native/gyp.mjs libraries)",
    "tag": "<!(node scripts/native/gyp.mjs tag)"
  },
  "targets": [
    {
      "target_name": "sluice",
      "sources": ["<!@(node scripts/native/gyp.mjs sources)"],
      "include_dirs": [
        "native",
        "<!(node -p \"require('node-addon-api').include_dir\")",
        "<(headers)/include",
        "<(headers)/ggml/include",
        "<(headers)/src",
        "<(headers)/common",
        "<(headers)/vendor"
      ],
      "defines": [
        "NAPI_VERSION=8",
        "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS",
        "NODE_ADDON_API_CPP_EXCEPTIONS",
        "LLAMA_SHARED",
        "GGML_SHARED",
        "GGML_BACKEND_SHARED",
        "SLUICE_TAG=\"<(tag)\""
      ],
      "cflags_cc": ["-std=c++17", "-fPIC", "-O3", "-fvisibility=hidden", "-fexceptions", "-frtti", "-Wno-unused-parameter"],
      "cflags_cc!": ["-fno-exceptions", "-fno-rtti", "-std=gnu++17", "-std=gnu++20"],
      "ldflags": ["-Wl,-z,nodelete", "-Wl,-rpath,'$$ORIGIN'"],
      "libraries": [
        "<(libraries)/libllama-common.so",
        "<(libraries)/libllama.<(tag).so",
        "<(libraries)/libggml.<(tag).so",
        "<(libraries)/libggml-base.so",
        "-lpthread",
        "-ldl"
      ]
    }
  ]
}
