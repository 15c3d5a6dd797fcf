//! The engine, and plugins that it has loaded. Nothing here calls into a component: that is the door's.

use std::sync::Arc;

use leasehold_http::Client;
use leasehold_seal::Digest;
use wasmtime::component::types::{ComponentItem, Type};
use wasmtime::component::{
    Component, InstancePre, Linker, LinkerInstance, Resource, ResourceType, Val,
};

use crate::cache::CodeCache;
use crate::compile::{Compiler, LoadError};
use crate::config::{Instances, config, engine_id};
use crate::inspect::{Facts, MODULE_IMPORTS, World, inspect};
use crate::limits::{FUEL_CALL, Halt, burn};
use crate::native;
use crate::schema::Schemas;
use crate::state::CallState;
use crate::wasi::Host;
use crate::wasi::bindings::adapter::ToolsPre;
use crate::wasi::bindings::command::RunnerPre;
use crate::wasi::bindings::gate::JudgePre;
use crate::wasi::bindings::system::System;
use crate::wasi::http;
use crate::wasi::io::{InputStream, OutputStream, StreamFault};
use crate::wasi::poll::Pollable;

/// Runs plugins, and keeps what all calls share: settings, host functions, compiled code.
pub struct Engine {
    pub(crate) inner: wasmtime::Engine,
    linker: Linker<CallState>,
    id: Digest,
    compiler: Compiler,
    cache: CodeCache,
    pub(crate) client: Arc<Client>,
}

/// A plugin, ready to be called. It holds no state of any call; clones share the code.
#[derive(Clone)]
pub struct Plugin(Arc<Loaded>);

struct Loaded {
    facts: Facts,
    schemas: Schemas,
    entry: Entry,
}

/// What of a plugin can be called. Reaching it takes the door.
pub(crate) enum Entry {
    Gate(JudgePre<CallState>),
    Adapter(ToolsPre<CallState>),
    Program(RunnerPre<CallState>),
}

impl Plugin {
    /// What its bytes say.
    pub fn facts(&self) -> &Facts {
        &self.0.facts
    }

    /// Its name in leases.
    pub fn digest(&self) -> Digest {
        self.0.facts.digest
    }

    /// The name it gives itself; `plugin` where it gives none. Untrusted text.
    pub fn name(&self) -> &str {
        let manifest = self.0.facts.manifest.as_ref();
        manifest.map_or("plugin", |manifest| &manifest.name)
    }

    pub(crate) fn schemas(&self) -> &Schemas {
        &self.0.schemas
    }

    pub(crate) fn entry(&self) -> &Entry {
        &self.0.entry
    }
}

impl Engine {
    /// An engine that compiles through `compiler` and keeps compiled code in `cache`.
    ///
    /// # Errors
    /// [`LoadError::Engine`] when wasmtime refuses the settings, on a machine without the address space for a pool for instance.
    pub fn new(
        instances: Instances,
        compiler: Compiler,
        cache: CodeCache,
    ) -> Result<Engine, LoadError> {
        let fault = |error: wasmtime::Error| LoadError::Engine(format!("{error:#}"));
        let inner = wasmtime::Engine::new(&config(instances)).map_err(fault)?;
        let mut linker = Linker::new(&inner);
        System::add_to_linker::<_, Host>(&mut linker, |state| state).map_err(fault)?;
        http::add_to_linker(&mut linker).map_err(fault)?;
        Ok(Engine {
            id: engine_id(&inner),
            inner,
            linker,
            compiler,
            cache,
            client: Arc::new(Client::default()),
        })
    }

    /// The same with another way to send requests: another resolver, other trusted roots.
    #[must_use]
    pub fn with_client(mut self, client: Client) -> Engine {
        self.client = Arc::new(client);
        self
    }

    /// Names the version and the settings: calls replay between engines of one id.
    pub fn id(&self) -> Digest {
        self.id
    }

    /// Makes a plugin ready: checks its bytes, compiles them in a child process unless the cache has them, links it.
    ///
    /// # Errors
    /// [`LoadError`] says what is wrong with the plugin, or with the host.
    pub fn load(&self, bytes: &[u8]) -> Result<Plugin, LoadError> {
        let facts = inspect(bytes)?;
        let schemas = Schemas::new(facts.manifest.as_ref())?;
        let component = self.component(&facts, bytes)?;
        let pre = self.link(&component)?;
        let entry = match facts.world {
            World::Gate => JudgePre::new(pre).map(Entry::Gate),
            World::Adapter => ToolsPre::new(pre).map(Entry::Adapter),
            World::Program => RunnerPre::new(pre).map(Entry::Program),
        };
        let entry = entry.map_err(|error| LoadError::World(format!("{error:#}")))?;
        Ok(Plugin(Arc::new(Loaded {
            facts,
            schemas,
            entry,
        })))
    }

    fn component(&self, facts: &Facts, bytes: &[u8]) -> Result<Component, LoadError> {
        if let Some(code) = self.cache.get(&facts.digest, &self.id) {
            match native::component(&self.inner, &code) {
                Ok(component) => return Ok(component),
                // Ours by its MAC, and still of another engine: compile again.
                Err(error) => tracing::warn!(%error, "compiled code in the cache does not load"),
            }
        }
        let code = self.compiler.compile(bytes)?;
        let component = native::component(&self.inner, &code)
            .map_err(|error| LoadError::Compile(format!("{error:#}")))?;
        if let Err(error) = self.cache.put(&facts.digest, &self.id, &code) {
            // A cache that cannot be written costs time, never correctness.
            tracing::warn!(%error, "compiled code was not kept");
        }
        Ok(component)
    }

    /// Links what exists, and puts refusing stubs for those interfaces of WASI 0.2 that no lease can grant.
    fn link(&self, component: &Component) -> Result<InstancePre<CallState>, LoadError> {
        let mut missing = Vec::new();
        for (name, item) in component.component_type().imports(&self.inner) {
            match (import_kind(name), item.ty) {
                // Of HTTP the half that serves is not offered, and some toolchains import both.
                (ImportKind::Offered, ComponentItem::ComponentInstance(instance))
                    if name.starts_with(http::TYPES) =>
                {
                    missing.push((http::OFFERED_TYPES.to_owned(), instance));
                }
                (ImportKind::Offered, _) => {}
                (ImportKind::Refused, ComponentItem::ComponentInstance(instance)) => {
                    missing.push((name.to_owned(), instance));
                }
                _ => return Err(LoadError::Import(name.to_owned())),
            }
        }
        let refused = |error: wasmtime::Error| LoadError::Import(format!("{error:#}"));
        if missing.is_empty() {
            return self.linker.instantiate_pre(component).map_err(refused);
        }
        let mut linker = self.linker.clone();
        for (name, instance) in missing {
            let mut stubs = linker.instance(&name).map_err(refused)?;
            let offered = |item: &str| name == http::OFFERED_TYPES && !http::serves(item);
            for (item, ty) in instance.exports(&self.inner) {
                if !offered(item) {
                    stub(&mut stubs, &name, item, &ty.ty).map_err(refused)?;
                }
            }
        }
        linker.instantiate_pre(component).map_err(refused)
    }
}

/// What becomes of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportKind {
    /// The host has it. A version it cannot match is found out when the plugin is loaded.
    Offered,
    /// It may be imported and is refused when it is used: language toolchains add such imports unasked.
    Refused,
    /// The host does not have it: the plugin does not load.
    Unknown,
}

/// What becomes of an import of a component, by the name of its interface, or of a core module, as `module/function`.
pub fn import_kind(import: &str) -> ImportKind {
    let of = |packages: &[&str]| packages.iter().any(|package| import.starts_with(package));
    if of(&[
        "wasi:io/",
        "wasi:clocks/",
        "wasi:random/",
        "wasi:filesystem/",
        "wasi:cli/",
        "leasehold:plugin/",
        http::TYPES,
        http::HANDLER,
        MODULE_IMPORTS,
    ]) {
        ImportKind::Offered
    } else if of(&[
        "wasi:sockets/",
        "wasi:http/",
        "wasi:config/",
        "wasi:logging/",
    ]) {
        ImportKind::Refused
    } else {
        ImportKind::Unknown
    }
}

fn stub(
    stubs: &mut LinkerInstance<'_, CallState>,
    interface: &str,
    name: &str,
    item: &ComponentItem,
) -> wasmtime::Result<()> {
    let import = format!("{interface}.{name}");
    match item {
        ComponentItem::ComponentFunc(_) => {
            stubs.func_new(name, move |mut store, ty, _params, results| {
                store.data().deadline.check()?;
                let _left = burn(&mut store, FUEL_CALL)?;
                store.data_mut().refuse_import(&import);
                // Where the interface has a word for it the guest is told; otherwise the call ends.
                if let (Some(Type::Result(result)), Some(slot)) =
                    (ty.results().next(), results.first_mut())
                    && let Some(Type::Enum(codes)) = result.err()
                    && codes.names().any(|name| name == "access-denied")
                {
                    *slot = Val::Result(Err(Some(Box::new(Val::Enum("access-denied".into())))));
                    return Ok(());
                }
                Err(Halt::ImportDenied.into())
            })
        }
        ComponentItem::Resource(_) => match name {
            // What an interface takes over from `wasi:io` is the same thing there.
            "pollable" => shared::<Pollable>(stubs, name),
            "input-stream" => shared::<InputStream>(stubs, name),
            "output-stream" => shared::<OutputStream>(stubs, name),
            "error" | "io-error" => shared::<StreamFault>(stubs, name),
            _ => stubs.resource(
                name,
                ResourceType::host::<DeniedResource>(),
                |_store, _rep| Ok(()),
            ),
        },
        // Types need no definition.
        _ => Ok(()),
    }
}

fn shared<R: Send + 'static>(
    stubs: &mut LinkerInstance<'_, CallState>,
    name: &str,
) -> wasmtime::Result<()> {
    stubs.resource(name, ResourceType::host::<R>(), |mut store, rep| {
        store.data_mut().table.delete(Resource::<R>::new_own(rep))?;
        Ok(())
    })
}

/// A resource that a refused interface defines: there is never one.
enum DeniedResource {}
