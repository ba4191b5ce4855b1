"""The roles that Postgres plays, which share its connections."""

from functools import cached_property
from typing import TYPE_CHECKING

from modulo.services.queues import Queues

if TYPE_CHECKING:
    from modulo.adapters.postgres.pools import Pools
    from modulo.ports.metadata.backups import Backups
    from modulo.ports.metadata.collections import Collections
    from modulo.ports.metadata.conversation_messages import ConversationMessages
    from modulo.ports.metadata.conversations import Conversations
    from modulo.ports.metadata.database import Database
    from modulo.ports.metadata.dead_letters import DeadLetters
    from modulo.ports.metadata.deletions import Deletions
    from modulo.ports.metadata.fetching import Fetching
    from modulo.ports.metadata.file_batches import FileBatches
    from modulo.ports.metadata.files import Files
    from modulo.ports.metadata.identities import Identities
    from modulo.ports.metadata.ingestion import Ingestion
    from modulo.ports.metadata.members import Members
    from modulo.ports.metadata.part_uploads import PartUploads
    from modulo.ports.metadata.parts import Parts
    from modulo.ports.metadata.purging import Purging
    from modulo.ports.metadata.reembedding import Reembeddings
    from modulo.ports.metadata.search import Grants
    from modulo.ports.metadata.subscriptions import Subscriptions
    from modulo.ports.metadata.sweeping import Sweeping
    from modulo.ports.metadata.tenants import Tenants
    from modulo.ports.metadata.uploads import Uploads
    from modulo.ports.metadata.usage import UsageLedger
    from modulo.ports.metadata.user_deletions import UserDeletions
    from modulo.ports.metadata.user_files import UserFiles
    from modulo.ports.metadata.vector_rebuilds import VectorRebuilds
    from modulo.ports.metrics import Metrics


class Metadata(Queues):
    """Each made on first use and kept, as everything of `Services`."""

    @cached_property
    def metrics(self) -> "Metrics":
        """Where counters and durations go."""
        match self.settings.metrics:
            case "emf":
                from modulo.adapters.aws.emf_metrics import EmfMetrics

                return EmfMetrics(self.settings.metrics_stack)
            case "prometheus":
                from modulo.adapters.prometheus_metrics import PrometheusMetrics

                return PrometheusMetrics()
        from modulo.adapters.no_metrics import NoMetrics

        return NoMetrics()

    @cached_property
    def _pools(self) -> "Pools":
        """The pools of connections that the roles of the metadata share."""
        from modulo.adapters.postgres.connection_gauge import count_in_use
        from modulo.adapters.postgres.engine import engines
        from modulo.adapters.postgres.pools import Pools

        return Pools(*count_in_use(engines(self.settings), self.metrics), self.announce)

    @cached_property
    def tenants(self) -> "Tenants":
        """Tenants, and how a deleted one is removed."""
        from modulo.adapters.postgres.tenants import PostgresTenants

        return PostgresTenants(self._pools)

    @cached_property
    def identities(self) -> "Identities":
        """Users and API keys."""
        from modulo.adapters.postgres.identities import PostgresIdentities

        return PostgresIdentities(self._pools)

    @cached_property
    def collections(self) -> "Collections":
        """Collections."""
        from modulo.adapters.postgres.collections import PostgresCollections

        return PostgresCollections(self._pools)

    @cached_property
    def conversations(self) -> "Conversations":
        """Conversations."""
        from modulo.adapters.postgres.conversations import PostgresConversations

        return PostgresConversations(self._pools)

    @cached_property
    def conversation_messages(self) -> "ConversationMessages":
        """The messages of conversations."""
        from modulo.adapters.postgres.conversation_messages import PostgresConversationMessages

        return PostgresConversationMessages(self._pools)

    @cached_property
    def reembeddings(self) -> "Reembeddings":
        """Re-embeddings of collections."""
        from modulo.adapters.postgres.reembeddings import PostgresReembeddings

        return PostgresReembeddings(self._pools)

    @cached_property
    def vector_rebuilds(self) -> "VectorRebuilds":
        """Rebuilds of collections' vectors."""
        from modulo.adapters.postgres.vector_rebuilds import PostgresVectorRebuilds

        return PostgresVectorRebuilds(self._pools)

    @cached_property
    def backups(self) -> "Backups":
        """All rows, for backups and restores."""
        from modulo.adapters.postgres.backups import PostgresBackups

        return PostgresBackups(self._pools)

    @cached_property
    def user_deletions(self) -> "UserDeletions":
        """Users, and how one is removed."""
        from modulo.adapters.postgres.user_deletions import PostgresUserDeletions

        return PostgresUserDeletions(self._pools)

    @cached_property
    def members(self) -> "Members":
        """Members of collections."""
        from modulo.adapters.postgres.members import PostgresMembers

        return PostgresMembers(self._pools)

    @cached_property
    def uploads(self) -> "Uploads":
        """Files that are about to be uploaded, or made of an archive."""
        from modulo.adapters.postgres.uploads import PostgresUploads

        return PostgresUploads(self._pools)

    @cached_property
    def files(self) -> "Files":
        """Files, as their users see them."""
        from modulo.adapters.postgres.files import PostgresFiles

        return PostgresFiles(self._pools)

    @cached_property
    def file_batches(self) -> "FileBatches":
        """Files that are attached to a collection together."""
        from modulo.adapters.postgres.file_batches import PostgresFileBatches

        return PostgresFileBatches(self._pools)

    @cached_property
    def fetching(self) -> "Fetching":
        """Generations whose bytes are fetched from an address."""
        from modulo.adapters.postgres.fetches import PostgresFetching

        return PostgresFetching(self._pools)

    @cached_property
    def ingestion(self) -> "Ingestion":
        """Claims of generations: every step is fenced by the claim's token."""
        from modulo.adapters.postgres.ingestion import PostgresIngestion

        return PostgresIngestion(self._pools)

    @cached_property
    def parts(self) -> "Parts":
        """Generations that are ingested in parts."""
        from modulo.adapters.postgres.parts import PostgresParts

        return PostgresParts(self._pools)

    @cached_property
    def sweeping(self) -> "Sweeping":
        """What a sweep ends and finds, of all tenants."""
        from modulo.adapters.postgres.sweeps import PostgresSweeping

        return PostgresSweeping(self._pools)

    @cached_property
    def purging(self) -> "Purging":
        """What is to be removed of deleted and replaced things."""
        from modulo.adapters.postgres.purges import PostgresPurging

        return PostgresPurging(self._pools)

    @cached_property
    def deletions(self) -> "Deletions":
        """The receipts of deletions."""
        from modulo.adapters.postgres.deletions import PostgresDeletions

        return PostgresDeletions(self._pools)

    @cached_property
    def subscriptions(self) -> "Subscriptions":
        """Subscriptions to collections on WebSockets that API Gateway keeps."""
        from modulo.adapters.postgres.subscriptions import PostgresSubscriptions

        return PostgresSubscriptions(self._pools)

    @cached_property
    def dead_letters(self) -> "DeadLetters":
        """Messages whose every delivery failed."""
        from modulo.adapters.postgres.dead_letters import PostgresDeadLetters

        return PostgresDeadLetters(self._pools)

    @cached_property
    def grants(self) -> "Grants":
        """What a search may see: each method is one statement."""
        from modulo.adapters.postgres.search import PostgresGrants

        return PostgresGrants(self._pools)

    @cached_property
    def user_files(self) -> "UserFiles":
        """Files that users keep outside collections."""
        from modulo.adapters.postgres.user_files import PostgresUserFiles

        return PostgresUserFiles(self._pools)

    @cached_property
    def part_uploads(self) -> "PartUploads":
        """Uploads of user files in parts."""
        from modulo.adapters.postgres.part_uploads import PostgresPartUploads

        return PostgresPartUploads(self._pools)

    @cached_property
    def usage(self) -> "UsageLedger":
        """Usage and its periods."""
        from modulo.adapters.postgres.usage import PostgresUsageLedger

        return PostgresUsageLedger(self._pools)

    @cached_property
    def database(self) -> "Database":
        """Whether the database answers."""
        return self._pools
