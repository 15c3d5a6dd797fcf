//! What `wasmtime` generates from `wit/`: one trait an interface. Every host function gets the store, since only there can it
//! take fuel from the guest.

pub mod system {
    wasmtime::component::bindgen!({
        path: ["../../wit/wasi", "../../wit/0.1"],
        inline: "
            package leasehold:door@0.1.0;
            world system {
                import wasi:io/error@0.2.12;
                import wasi:io/poll@0.2.12;
                import wasi:io/streams@0.2.12;
                import wasi:clocks/monotonic-clock@0.2.12;
                import wasi:clocks/wall-clock@0.2.12;
                import wasi:random/random@0.2.12;
                import wasi:random/insecure@0.2.12;
                import wasi:random/insecure-seed@0.2.12;
                import wasi:filesystem/types@0.2.12;
                import wasi:filesystem/preopens@0.2.12;
                import wasi:cli/environment@0.2.12;
                import wasi:cli/exit@0.2.12;
                import wasi:cli/stdin@0.2.12;
                import wasi:cli/stdout@0.2.12;
                import wasi:cli/stderr@0.2.12;
                import wasi:cli/terminal-input@0.2.12;
                import wasi:cli/terminal-output@0.2.12;
                import wasi:cli/terminal-stdin@0.2.12;
                import wasi:cli/terminal-stdout@0.2.12;
                import wasi:cli/terminal-stderr@0.2.12;
                import leasehold:plugin/host@0.1.0;
                import leasehold:plugin/workspace@0.1.0;
            }
        ",
        world: "leasehold:door/system",
        imports: { default: store | trappable },
        with: {
            "wasi:io/streams.input-stream": crate::wasi::io::InputStream,
            "wasi:io/streams.output-stream": crate::wasi::io::OutputStream,
            "wasi:io/error.error": crate::wasi::io::StreamFault,
            "wasi:io/poll.pollable": crate::wasi::poll::Pollable,
            "wasi:filesystem/types.descriptor": crate::wasi::filesystem::Descriptor,
            "wasi:filesystem/types.directory-entry-stream": crate::wasi::filesystem::EntryStream,
            "wasi:cli/terminal-input.terminal-input": crate::wasi::cli::Terminal,
            "wasi:cli/terminal-output.terminal-output": crate::wasi::cli::Terminal,
            "leasehold:plugin/workspace.walk": crate::wasi::workspace::Listing,
        },
    });
}

pub mod command {
    wasmtime::component::bindgen!({
        path: ["../../wit/wasi"],
        inline: "
            package leasehold:door@0.1.0;
            world runner { export wasi:cli/run@0.2.12; }
        ",
        world: "leasehold:door/runner",
        exports: { default: async },
    });
}

pub mod gate {
    wasmtime::component::bindgen!({
        path: ["../../wit/0.1"],
        inline: "
            package leasehold:door@0.1.0;
            world judge { export leasehold:plugin/gate@0.1.0; }
        ",
        world: "leasehold:door/judge",
        exports: { default: async },
    });
}

pub mod adapter {
    wasmtime::component::bindgen!({
        path: ["../../wit/0.1"],
        inline: "
            package leasehold:door@0.1.0;
            world tools { export leasehold:plugin/adapter@0.1.0; }
        ",
        world: "leasehold:door/tools",
        exports: { default: async },
    });
}
