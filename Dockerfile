# Two images from one build: `--target broker` (also the default) and `--target worker`.

FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
# Project files first: packages are restored again only when one of these changes.
COPY Directory.Build.props global.json .editorconfig ./
COPY src/Directory.Packages.props src/
COPY src/Broker/Broker.csproj src/Broker/packages.lock.json src/Broker/
COPY src/Broker.Cli/Broker.Cli.csproj src/Broker.Cli/packages.lock.json src/Broker.Cli/
COPY src/Broker.Core/Broker.Core.csproj src/Broker.Core/packages.lock.json src/Broker.Core/
COPY src/Broker.Operators/Broker.Operators.csproj src/Broker.Operators/packages.lock.json src/Broker.Operators/
COPY src/Broker.Sdk/Broker.Sdk.csproj src/Broker.Sdk/packages.lock.json src/Broker.Sdk/
COPY src/Broker.Storage/Broker.Storage.csproj src/Broker.Storage/packages.lock.json src/Broker.Storage/
COPY src/Broker.Ui/Broker.Ui.csproj src/Broker.Ui/packages.lock.json src/Broker.Ui/
COPY src/Broker.Worker/Broker.Worker.csproj src/Broker.Worker/packages.lock.json src/Broker.Worker/
RUN dotnet restore src/Broker --locked-mode && dotnet restore src/Broker.Worker --locked-mode
COPY src/ src/
RUN dotnet publish src/Broker --no-restore -c Release -o /out/broker \
 && dotnet publish src/Broker.Worker --no-restore -c Release -o /out/worker

FROM mcr.microsoft.com/dotnet/runtime:10.0 AS worker
# Jobs are shell commands, each in a session of its own, so that it can be stopped with all its children.
RUN command -v sh setsid >/dev/null || (apt-get update && apt-get install -y --no-install-recommends util-linux && rm -rf /var/lib/apt/lists/*)
COPY --from=build /out/worker /app
RUN mkdir /work && chown "$APP_UID" /work
WORKDIR /work
USER $APP_UID
ENTRYPOINT ["dotnet", "/app/broker-worker.dll"]

FROM mcr.microsoft.com/dotnet/aspnet:10.0 AS broker
COPY --from=build /out/broker /app
# The embedded database, used without DATABASE_URL, and workflow files; mount volumes over them.
RUN mkdir -p /data/broker-data /data/workflows && cp -r /app/workflows/. /data/workflows/ && chown -R "$APP_UID" /data
WORKDIR /data
# The embedded database outlives the container also where no volume was named.
VOLUME /data/broker-data
USER $APP_UID
# No client reaches loopback inside a container. Listening beyond it takes API keys: `docker run … broker keys create --name admin
# --scopes admin` on the same database, or Broker__Auth__Keys__0__…. On a closed network Broker__Auth__AllowAnonymous=true is enough,
# with the names in the broker's addresses as Broker__AllowedHosts.
ENV HOST=0.0.0.0 PORT=3000 WORKFLOWS_DIR=/data/workflows
EXPOSE 3000
# Asks /readyz: the image has no curl.
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s --retries=3 \
    CMD ["dotnet", "/app/Broker.dll", "--healthcheck"]
ENTRYPOINT ["dotnet", "/app/Broker.dll"]
